"""Where the rows of a version go, batch by batch: into the engine, or beside what it holds."""

from collections.abc import Iterator, Sequence

from corpus.errors import EngineUnreachable
from index.layout import Collection, Row, digest
from index.remote import Remote
from index.store import Progress
from index.versions import STRONG

BATCH = 400  # rows in one request
BATCH_CHARACTERS = 4_000_000  # of records in one request; Milvus takes 64 MB


def batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """Rows as many at a time as one request takes."""
    batch: list[Row] = []
    characters = 0
    for row in rows:
        batch.append(row)
        characters += len(row.get("data", ""))
        if len(batch) == BATCH or characters > BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


class Sink:
    """Counts rows and sums their digests, by collection; the sum does not depend on the order."""

    def __init__(self, remote: Remote) -> None:
        self.remote = remote
        self.rows: dict[str, int] = {}
        self.digests: dict[str, int] = {}

    @property
    def sums(self) -> dict[str, str]:
        """The sums as 32 hexadecimal digits."""
        return {key: f"{total:032x}" for key, total in self.digests.items()}

    def put(self, name: str, of: Collection, batch: list[Row]) -> None:
        """Take a batch of rows of a collection."""
        raise NotImplementedError

    def _count(self, name: str, batch: Sequence[Row]) -> None:
        total = sum(int(row["digest"], 16) for row in batch)
        self.rows[name] = self.rows.get(name, 0) + len(batch)
        self.digests[name] = (self.digests.get(name, 0) + total) % 2**128

    def _there(self, name: str, key: str, batch: Sequence[Row], fields: list[str]) -> list[Row]:
        """The rows of a batch that the engine has."""
        keys = [row[key] for row in batch]
        wanted = str(keys).replace("'", '"')
        # As patient as a write: an engine with much in it takes seconds to come back.
        found: list[Row] = self.remote.write(
            "query",
            name,
            filter=f"{key} in {wanted}",
            output_fields=fields,
            consistency_level=STRONG,
        )
        return found


class Writing(Sink):
    """Writes what is not there yet."""

    def __init__(self, remote: Remote, progress: Progress, total: int) -> None:
        super().__init__(remote)
        self._progress, self._total = progress, total
        # pymilvus would look at every character of every text: a third of our time of writing
        remote.package.client.entity_helper.CHECK_STR_ARRAY = False

    def put(self, name: str, of: Collection, batch: list[Row]) -> None:
        """Write a batch; rows that are there as they are meant to be are left alone."""
        self._count(name, batch)
        found = self._there(name, of.key, batch, [of.key, "digest"])
        there = {row[of.key]: row["digest"] for row in found}
        changed = [row for row in batch if there.get(row[of.key], row["digest"]) != row["digest"]]
        self._add(name, [row for row in batch if row[of.key] not in there])
        if changed:
            self.remote.write("upsert", name, changed)
        self._progress("写入", len(batch), self._total)

    def _add(self, name: str, rows: list[Row]) -> None:
        """Insert rows that are not there: an upsert looks through the whole collection first.

        Who does not hear whether they arrived writes them over. Should the first ones come late,
        there are too many rows in the end, and all are written again.
        """
        if not rows:
            return
        try:
            self.remote.write("insert", name, rows, once=True)
        except EngineUnreachable:
            self.remote.write("upsert", name, rows)


class Checking(Sink):
    """Reads all rows back and counts those that are not what they are meant to be."""

    wrong = 0

    def put(self, name: str, of: Collection, batch: list[Row]) -> None:
        """Compare a batch."""
        self._count(name, batch)
        there = {row[of.key]: digest(row) for row in self._there(name, of.key, batch, of.outputs)}
        self.wrong += sum(there.get(row[of.key]) != row["digest"] for row in batch)
