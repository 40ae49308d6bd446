"""The files of a sweep: its sheet, its page, and the folder of its pictures, which knows both.

Sheet and page can be made again from the pictures. So they may take the place of others that show
some of these pictures and no more, unless somebody has put or changed something there since: of
each file, a note in the folder says which pictures are on it, and what its bytes are.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from impasto.errors import UsageError
from impasto.image.atomic import replacing
from impasto.image.picture import STANDARD_STREAM
from impasto.image.write import check_file, check_output
from impasto.replay import digest_of
from impasto.settings import OutputSettings, Settings, as_text
from impasto.studio.page import page
from impasto.studio.sheet import Sheet, save
from impasto.studio.sweep_sheet import drawn
from impasto.studio.theme import Paper

NOTES = "sheets.json"


class Note(Settings):
    """What is on a sheet or a page."""

    pictures: tuple[str, ...]
    """Their files' names without endings."""
    sha256: str | None
    """Of its bytes; None while it is written, which a kill may cut short."""


NOTED: TypeAdapter[dict[str, Note]] = TypeAdapter(dict[str, Note])
"""{name of the file: what is on it}."""


@dataclass(frozen=True)
class SweepFiles:
    """Where a sweep writes."""

    output: Path
    html: Path | None

    @property
    def folder(self) -> Path:
        """Where the pictures lie: `sheet-pictures` of `sheet.png`."""
        return self.output.with_name(f"{self.output.stem}-pictures")

    def check(self, inputs: Sequence[str | Path]) -> None:
        """Refuse what cannot be written, or would take the place of an input, before any work."""
        if str(self.output) == STANDARD_STREAM:
            raise UsageError("a sweep writes a folder beside its sheet; name a file instead of -")
        check_output(self.output, inputs, force=True, settings=OutputSettings())
        if self.html is not None:
            check_file(self.html, [*inputs, self.output], force=True)

    def check_there(self, stems: Collection[str]) -> None:
        """Refuse to replace what shows anything but some of the pictures of these names."""
        for file in filter(None, (self.output, self.html)):
            check_file(file, (), force=self._is_part(file, stems))

    def write(self, sheet: Sheet, paper: Paper, stems: Collection[str]) -> None:
        """Write the sheet as a picture, and as a page if it is asked for; the folder is there."""
        with self._noted(self.output, stems):
            save(drawn(sheet, paper), self.output)
        if self.html is not None:
            with self._noted(self.html, stems), replacing(self.html) as file:
                file.write_text(page(sheet), "utf-8")

    def _is_part(self, file: Path, stems: Collection[str]) -> bool:
        """Whether a file is as a sweep has left it, and shows none but pictures of these names."""
        note = self._notes().get(as_text(file.name))
        if note is None or not set(note.pictures) <= set(stems):
            return False
        try:
            return note.sha256 is None or note.sha256 == digest_of(file)
        except OSError:
            return False

    @contextmanager
    def _noted(self, file: Path, stems: Collection[str]) -> Iterator[None]:
        """Note what is on a file that is written meanwhile."""
        self._keep(file, Note(pictures=tuple(stems), sha256=None))
        yield
        self._keep(file, Note(pictures=tuple(stems), sha256=digest_of(file)))

    def _keep(self, file: Path, note: Note) -> None:
        notes = self._notes() | {as_text(file.name): note}
        with replacing(self.folder / NOTES) as path:
            path.write_bytes(NOTED.dump_json(notes, indent=2))

    def _notes(self) -> dict[str, Note]:
        """What is known; nothing where that is not there or damaged."""
        try:
            return NOTED.validate_json((self.folder / NOTES).read_bytes())
        except (OSError, ValidationError):
            return {}
