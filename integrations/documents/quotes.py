"""Where the older mails begin that a reply carries below it.

A scan of lines, linear in the text: the patterns of the reply-parsing libraries backtrack on hostile mail and change the
text, so that no offset can be had from them.
"""

import re

# "On <date>, <name> wrote:" as mail programs of several languages write it; it may be broken over up to three lines.
_WROTE_START = re.compile(
    r"^[\s>*-]*(On|Am|Le|El|Il|Op|Em|W dniu|Den|På|Dne|Dnia|Vào)\b.{0,300}$|^.{0,200}\d{4}.{0,160}:\s*$",
    re.IGNORECASE,
)
_WROTE = re.compile(
    r"^[\s>*-]*(?:"
    r"On\s.{6,300}\bwrote|Am\s.{6,300}\bschrieb\b.{0,120}|Le\s.{6,300}\ba\s+écrit|El\s.{6,300}\bescribió"
    r"|Il\s.{6,300}\bha\s+scritto|Op\s.{6,300}\b(?:schreef|het\s+volgende\s+geschreven)\b.{0,120}"
    r"|Em\s.{6,300}\bescreveu|(?:W\s+dniu|Dnia)\s.{6,300}\b(?:napisał|pisze)\b.{0,60}"
    r"|(?:Den|På)\s.{6,300}\b(?:skrev|skrifaði)\b.{0,120}|Dne\s.{6,300}\bnapsal\b.{0,60}"
    r"|\d{4}[-/.]\d{1,2}[-/.]\d{1,2}.{0,200}(?:<[^<>\s]{3,100}@[^<>\s]{3,100}>|wrote)"
    r"|[^\n]{1,120}<[^<>\s]{1,100}@[^<>\s]{3,100}>\s+(?:wrote|schrieb|a\s+écrit)"
    r")\s*:?\s*$",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(
    r"^[\s>]*(?:"
    r"-{2,}\s*(?:Original Message|Original-Nachricht|Ursprüngliche Nachricht|Message d'origine|Mensaje original"
    r"|Messaggio originale|Oorspronkelijk bericht|Mensagem original|Forwarded message|Weitergeleitete Nachricht"
    r"|Reply Message|Message transféré|Original Appointment|Reply Above This Line)\s*-{2,}"
    r"|Begin forwarded message:|Anfang der weitergeleiteten Nachricht:|#{2,}- .{0,60}above this line.{0,20}"
    r")\s*$",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"^[\s>|*]*(From|Sent|To|Cc|Date|Subject|Reply-To|Von|Gesendet|An|Datum|Betreff|De|Envoyé|À|Objet|Enviado|Para|Asunto"
    r"|Da|Inviato|A|Oggetto|Van|Verzonden|Aan|Onderwerp|Fra|Sendt|Til|Emne|Från|Skickat|Till|Ämne)\s?\*?\s*:",
    re.IGNORECASE,
)
_RULE = re.compile(r"^\s*[_-]{5,}\s*$")
_SIGNATURE = re.compile(r"^--\s?$|^\s*(?:sent|gesendet|envoyé) (?:from|von|de) ", re.IGNORECASE)
_DATED = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\b(?:19|20)\d\d\b|\d{1,2}:\d\d")
_MAX_LINE = 2_000
# Quoted lines at least this long are often wrapped by a later program, and the rest of one then looks unmarked.
_WRAPPED = 60


def find_older_mails(text: str, *, start: int) -> int | None:
    """Offset of the first line of the older mails in `text[start:]`, which is a mail's body.

    None when there are none, when the mail only forwards (nothing is written above them), and when new text stands
    below or between quoted lines: then the whole mail counts as new.
    """
    lines = _lines_from(text, start)
    for index in range(len(lines)):
        if not _begins_older(lines, index):
            continue
        index = _attribution(lines, index)
        while index > 0 and (_RULE.match(lines[index - 1][1]) or not lines[index - 1][1].strip()):
            index -= 1
        offset = lines[index][0]
        if not text[start:offset].strip():
            return None
        return None if _answers_below(lines, index) else offset
    return None


def has_answers_between_quotes(text: str, *, start: int) -> bool:
    """Whether new lines stand below quoted ones."""
    lines = _lines_from(text, start)
    return any(_begins_older(lines, index) and _answers_below(lines, index) for index in _first_quote(lines))


def _attribution(lines: list[tuple[int, str]], index: int) -> int:
    """Where the sentence begins that leads in the quotation, in whatever language: up to three lines that end in ":"."""
    above = index - 1
    while above > 0 and not lines[above][1].strip():
        above -= 1
    if not _is_quoted(lines[index][1]) or above < 0 or not lines[above][1].rstrip().endswith(":"):
        return index
    start = above
    while (
        start > 0 and above - start < 2 and lines[start - 1][1].strip() and not _DATED.search(lines[start][1])
    ):
        start -= 1
    return start if any(_DATED.search(line) for _, line in lines[start : above + 1]) else index


def _first_quote(lines: list[tuple[int, str]]) -> list[int]:
    return next(([index] for index in range(len(lines)) if _begins_older(lines, index)), [])


def _lines_from(text: str, start: int) -> list[tuple[int, str]]:
    lines = []
    offset = start
    for line in text[start:].split("\n"):
        lines.append((offset, line[:_MAX_LINE]))
        offset += len(line) + 1
    return lines


def _begins_older(lines: list[tuple[int, str]], index: int) -> bool:
    line = lines[index][1]
    if _SEPARATOR.match(line) or _is_quoted(line):
        return True
    if _WROTE_START.match(line):
        for count in (1, 2, 3):
            if _WROTE.match(" ".join(part.strip() for _, part in lines[index : index + count])[:600]):
                return True
    return _header_block(lines, index)


def _header_block(lines: list[tuple[int, str]], index: int) -> bool:
    """Three header lines of a mail within five lines (Outlook writes From, Sent, To, Subject without a separator)."""
    if not _HEADER.match(lines[index][1]):
        return False
    names = set()
    for _, line in lines[index : index + 6]:
        match = _HEADER.match(line)
        if match:
            names.add(match.group(1).lower())
    return len(names) >= 3


def _is_quoted(line: str) -> bool:
    return line.lstrip().startswith((">", "|>"))


def _answers_below(lines: list[tuple[int, str]], index: int) -> bool:
    """Whether, where the quotation is marked with ">", unmarked text of the writer's own follows it."""
    marked = [at for at in range(index, len(lines)) if _is_quoted(lines[at][1])]
    if not marked or marked[0] - index > 5:
        return False
    above = ""
    for _, line in lines[marked[0] :]:
        if _SIGNATURE.match(line) or _SEPARATOR.match(line):
            return False
        if line.strip() and not _is_quoted(line) and not _RULE.match(line):
            rest_of_wrapped = len(above) >= _WRAPPED and len(line.split()) < 4
            if not rest_of_wrapped:
                return True
        above = line
    return False
