"""Real files, made on the spot; every name and firm in them is invented."""

import io
import struct
import zlib
from collections.abc import Callable

from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.pagesizes import A4  # type: ignore[import-untyped]
from reportlab.lib.pdfencrypt import StandardEncryption  # type: ignore[import-untyped]
from reportlab.lib.utils import ImageReader  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

__all__ = [
    "A4",
    "INVOICE_ROWS",
    "StandardEncryption",
    "as_bytes",
    "invoice",
    "pdf",
    "picture",
    "png_that_claims",
    "scan",
]

INVOICE_ROWS = [("Subtotal", "3,485.50"), ("VAT 20%", "697.10"), ("Total due", "4,182.60")]


def pdf(draw: Callable[[Canvas], None], **options: object) -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, **options)
    draw(canvas)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def invoice(canvas: Canvas) -> None:
    """Values first and from the bottom up, labels after: the order of drawing says nothing."""
    canvas.setFont("Helvetica", 11)
    for row, (_, value) in reversed(list(enumerate(INVOICE_ROWS))):
        canvas.drawRightString(520, 400 - 18 * row, value)
    for row, (label, _) in enumerate(INVOICE_ROWS):
        canvas.drawString(60, 400 - 18 * row, label)
    canvas.drawString(60, 780, "Brightwater Pumps Ltd")


def picture(lines: list[str], *, size: tuple[int, int] = (1000, 500)) -> Image.Image:
    image = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=36)
    for number, line in enumerate(lines):
        pen.text((60, 50 + 70 * number), line, fill="black", font=font)
    return image


def as_bytes(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def scan(lines: list[str]) -> bytes:
    image = picture(lines)
    return pdf(lambda canvas: canvas.drawImage(ImageReader(image), 0, 400, width=595, height=297))


def png_that_claims(width: int, height: int) -> bytes:
    """A few bytes whose header announces a picture of any size."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack("!I", len(body)) + kind + body + struct.pack("!I", zlib.crc32(kind + body))

    header = struct.pack("!IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 4096)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
