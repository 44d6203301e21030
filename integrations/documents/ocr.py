"""An image -> words with boxes, by the recognition models that rapidocr carries in its wheel (no network)."""

import math
import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from integrations.documents.lines import Word, lay_out
from integrations.documents.pages import Box, Piece

# Time and memory grow with the pixels: 8 megapixels took 2 GiB and 20 s where 4 take half of both and read the same.
MAX_PIXELS = 4_000_000
_MAX_SIDE = 4_000
_ORIENTATION_LINES = 9
_BACK = {
    90: Image.Transpose.ROTATE_90,  # Pillow turns counterclockwise.
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_270,
}
_engine: Any = None


def recognise(image: Image.Image) -> tuple[str, tuple[Piece, ...]]:
    """Text in visual lines and a piece for each stretch, boxes as fractions of `image`.

    Pages laid on their side or upside down are read in their own reading direction. Empty text when nothing is found.
    """
    shrunk = _bounded(image)
    if _is_blank(shrunk):
        return "", ()
    pixels, found = _read(shrunk)
    if not found.txts:
        return "", ()
    turn = _turn(pixels, _quads(found), [len(text) for text in found.txts])
    if turn:
        # The models read many a line that lies wrongly, but not all, and some wrong: read again, upright.
        _, upright = _read(shrunk.transpose(_BACK[turn]))
        found = upright if upright.txts else found
    quads = _quads(found)
    words = [
        Word(
            text=text.strip(),
            box=_box_as_given(quad, turn, shrunk.width, shrunk.height),
            turn=turn,
            confidence=round(float(score), 4),
        )
        for text, quad, score in zip(found.txts, quads, found.scores, strict=True)
    ]
    return lay_out(words=words, width=shrunk.width, height=shrunk.height, slope=_slope(quads))


def _read(image: Image.Image) -> tuple[Any, Any]:
    pixels = np.asarray(image)[:, :, ::-1]  # The models were trained on blue, green, red.
    return pixels, _load()(pixels)


def _quads(found: Any) -> list[Any]:
    return [np.asarray(quad, dtype=float) for quad in found.boxes]


def _box_as_given(quad: Any, turn: int, width: int, height: int) -> Box:
    """The box on the picture as it was given, of a quadrangle on the picture turned upright."""
    x0, y0 = (float(edge) for edge in quad.min(axis=0))
    x1, y1 = (float(edge) for edge in quad.max(axis=0))
    return {
        0: (x0, y0, x1, y1),
        90: (width - y1, x0, width - y0, x1),
        180: (width - x1, height - y1, width - x0, height - y0),
        270: (y0, height - x1, y1, height - x0),
    }[turn]


def _load() -> Any:
    global _engine
    if _engine is None:
        from rapidocr import RapidOCR

        _engine = RapidOCR(
            params={
                "Global.log_level": "error",
                "Global.max_side_len": _MAX_SIDE,
                # Two threads: most of the gain, without the stalls of more threads than free cores.
                "EngineConfig.onnxruntime.intra_op_num_threads": 2,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            }
        )
    return _engine


def _bounded(image: Image.Image) -> Image.Image:
    shrink = min(1.0, math.sqrt(MAX_PIXELS / (image.width * image.height)), _MAX_SIDE / max(image.size))
    if shrink == 1.0:
        return image.convert("RGB")
    size = max(1, round(image.width * shrink)), max(1, round(image.height * shrink))
    return image.convert("RGB").resize(size, Image.Resampling.LANCZOS)


def _is_blank(image: Image.Image) -> bool:
    low, high = image.convert("L").getextrema()
    return bool(high - low < 12)  # type: ignore[operator]  # one band gives one pair of numbers


def _turn(pixels: Any, quads: Sequence[Any], lengths: Sequence[int]) -> int:
    """How far clockwise the text is turned. The models read each line whichever way it lies but do not say which.

    Lines that are taller than wide mean a page on its side; the classifier of line images (0 or 180 degrees) then
    tells the two ways apart, by the vote of the longest lines.
    """
    longest = sorted(range(len(quads)), key=lambda index: -lengths[index])[:_ORIENTATION_LINES]
    longest = [index for index in longest if lengths[index] >= 4]
    if not longest:
        return 0
    sideways = sum(1 for index in longest if _stands(quads[index])) * 2 > len(longest)
    votes = 0.0
    for index in longest:
        left, top = np.floor(quads[index].min(axis=0)).astype(int).clip(0)
        right, bottom = np.ceil(quads[index].max(axis=0)).astype(int)
        line = pixels[top:bottom, left:right]
        if line.size == 0 or _stands(quads[index]) != sideways:
            continue
        if sideways:
            line = np.rot90(line)
        label, score = _load()(
            np.ascontiguousarray(line), use_det=False, use_cls=True, use_rec=False
        ).cls_res[0]
        votes += float(score) if label == "180" else -float(score)
    # The engine keeps what it was last told: set it back, or the next page would be classified only.
    _load().update_params(use_det=True, use_cls=True, use_rec=True)
    over = votes > 0
    if sideways:
        return 270 if over else 90
    return 180 if over else 0


def _stands(quad: Any) -> bool:
    width, height = quad.max(axis=0) - quad.min(axis=0)
    return bool(height > 1.5 * width)


def _slope(quads: Sequence[Any]) -> float:
    """The median slope of the long lines' upper edges; 0 where none is long enough to tell."""
    slopes = []
    for quad in quads:
        along = quad[1] - quad[0]
        if along[0] > 6 * abs(quad[3][1] - quad[0][1]) > 0:
            slopes.append(along[1] / along[0])
    slope = statistics.median(slopes) if len(slopes) >= 3 else 0.0
    return slope if abs(slope) < 0.3 else 0.0
