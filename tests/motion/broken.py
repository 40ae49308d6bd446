"""Files that break off, are damaged, or are no videos at all."""

import struct
import wave
from pathlib import Path

import av
import numpy as np
from PIL import Image
from tests.motion.clips import film, pan

from impasto.image.samples import photo


def hurt(path: Path, number: int, *, wipe: bool = False) -> None:
    """Damage the coded frame that comes so-manyth in the file."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    place, size = packets[number].pos, packets[number].size
    assert place is not None
    # Matroska tells where the block is, not what is in it.
    place = data.index(bytes(packets[number]), place)
    kept = 0 if wipe else min(20, size // 2)
    noise = bytes(size) if wipe else np.random.default_rng(0).bytes(size)
    data[place + kept : place + size] = noise[kept:]
    path.write_bytes(data)


def at_front(path: Path) -> None:
    """Write an MP4 again with its index at its front."""
    copy = path.with_name("front.mp4")
    how = {"movflags": "+faststart"}
    with av.open(str(path)) as source, av.open(str(copy), "w", options=how) as container:
        stream = container.add_stream_from_template(source.streams.video[0], opaque=True)
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                container.mux(packet)
    copy.replace(path)


def sound_only(path: Path, cover: bool = False) -> Path:
    from av.audio.stream import AudioStream

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libmp3lame" if path.suffix == ".mp3" else "aac", 48000)
        assert isinstance(stream, AudioStream)
        if cover:
            picture = container.add_stream("mjpeg")
            picture.width, picture.height, picture.pix_fmt = 64, 64, "yuvj420p"
            picture.disposition = av.stream.Disposition.attached_pic
        silence = av.AudioFrame.from_ndarray(
            np.zeros((2, 48000), np.float32), format="fltp", layout="stereo"
        )
        silence.sample_rate = 48000
        packets = stream.encode(silence) + stream.encode(None)
        if cover:
            frame = av.VideoFrame.from_ndarray(photo("coffee")[:64, :64])
            packets = picture.encode(frame.reformat(format="yuvj420p")) + packets
            packets += picture.encode(None)
        for packet in packets:
            container.mux(packet)
    return path


def hollow(path: Path) -> Path:
    """A film without a frame."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", 25)
        stream.width, stream.height = 64, 48
        container.start_encoding()
    return path


def cut_short(path: Path) -> Path:
    film(path, pan(10, (64, 48)).frames)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def picture_file(path: Path) -> Path:
    Image.fromarray(photo("coffee")).save(path)
    return path


def text_file(path: Path) -> Path:
    path.write_text("this is no film\n" * 100)
    return path


def empty_file(path: Path) -> Path:
    path.touch()
    return path


def sound_file(path: Path) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(struct.pack("<8000h", *([0] * 8000)))
    return path
