from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost before its reading is refused or cut short.

    Size, pixels, memory and the whole time refuse the file; pages, characters, rows and attachments cut it short, and the
    reading then says so in its notes. `memory_bytes` is address space, which is what a process can be held to: reading
    a scan of an A4 page takes about 1.5 GiB of it, most of it the character recognition's.
    """

    max_bytes: int = 25 * 1024 * 1024
    max_pages: int = 50
    max_pixels: int = 40_000_000
    max_characters: int = 400_000
    max_rows: int = 5_000
    max_attachments: int = 20
    seconds: float = 60.0
    memory_bytes: int = 3 * 1024**3
