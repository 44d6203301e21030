"""What comes in: files made on the spot, and what the model is to say about each. Every name in them is invented."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from tests.integrations.documents.samples import StandardEncryption, as_bytes, pdf, picture
from workflows.intake import Upload

INVOICES, LEADS, CALLS = "supplier-invoices", "inbound-leads", "call-follow-ups"


@dataclass(frozen=True)
class Input:
    """`match` is words that only this input has; the model's answer to them is `says` (lines `label: value`)."""

    slug: str
    title: str
    match: str
    says: str = ""
    behaviour: str = ""
    text: str = ""
    files: tuple[Upload, ...] = ()

    def rules(self) -> list[dict[str, str]]:
        if self.behaviour:
            return [{"match": self.match, "behaviour": self.behaviour}]
        return [{"match": self.match, "says": self.says}]


def invoice_lines(*, number: str, total: str, tax: str, order: str = "PO-87010") -> list[tuple[str, str]]:
    """Label and value of each line as printed."""
    return [
        ("Varnholt Belts Ltd", ""), ("INVOICE", ""), ("Brackwell Packing Machines Ltd", ""), ("Foundry Lane 18", ""),
        ("Invoice no.", number), ("Date", "3 Nov 2026"), ("Your order", order), ("Due", "3 Dec 2026"),
        ("Conveyor belts, 12 pieces", ""), ("VAT 20 %", tax), ("Total", total), ("IBAN", "GB94 VARN 2030 4050 6070 80"),
    ]  # fmt: skip


def invoice_says(*, number: str, total: str, tax: str, order: str = "PO-87010", unsure: str = "") -> str:
    lines = {
        "supplier": "Varnholt Belts Ltd", "number": number, "order number": order, "iban": "GB94 VARN 2030 4050 6070 80",
        "issued on": "3 Nov 2026", "due on": "3 Dec 2026", "tax": tax, "total": total, "document": "invoice",
    }  # fmt: skip
    told = "\n".join(f"{label}: {value}" for label, value in lines.items() if value)
    return told + (f"\n[[unsure {unsure}]]" if unsure else "")


def pdf_of(lines: Sequence[tuple[str, str]], *, pages: int = 1, password: str = "") -> bytes:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 12)
        for row, (label, value) in enumerate(lines):
            canvas.drawString(60, 780 - 26 * row, label)
            canvas.drawString(330, 780 - 26 * row, value)
        for number in range(2, pages + 1):
            canvas.showPage()
            canvas.drawString(60, 780, f"Terms of sale, page {number}")

    if not password:
        return pdf(draw)
    return pdf(draw, encrypt=StandardEncryption(password, ownerPassword="owner", strength=128))


def invoice(
    number: str, *, total: str = "£240.00", tax: str = "£40.00", order: str = "PO-87010", unsure: str = "", pages: int = 1
) -> Input:  # fmt: skip
    content = pdf_of(invoice_lines(number=number, total=total, tax=tax, order=order or "-"), pages=pages)
    return Input(
        slug=INVOICES, title=f"Invoice {number}", match=number,
        says=invoice_says(number=number, total=total, tax=tax, order=order, unsure=unsure),
        files=(Upload(name=f"{number}.pdf", content=content, media_type="application/pdf"),),
    )  # fmt: skip


def scanned_invoice(number: str) -> Input:
    lines = invoice_lines(number=number, total="312.00 EUR", tax="52.00 EUR")
    image = picture([f"{label}   {value}" for label, value in lines], size=(1000, 950))
    return Input(
        slug=INVOICES, title=f"Scan {number}", match=number,
        says=invoice_says(number=number, total="312.00 EUR", tax="52.00 EUR", unsure="total"),
        files=(Upload(name="scan.png", content=as_bytes(image), media_type="image/png"),),
    )  # fmt: skip


def locked_invoice() -> Input:
    content = pdf_of([("Nobody reads this", "")], password="sesame")
    return Input(
        slug=INVOICES, title="Locked statement", match="Nobody reads this",
        files=(Upload(name="statement.pdf", content=content, media_type="application/pdf"),),
    )  # fmt: skip


MAIL = """\
From: Rosalind Achebe <r.achebe@quayside-tea.example>
To: Sales <sales@brackwell.example>
Date: Mon, 16 Nov 2026 09:12:00 +0000
Subject: Re: Labelling machine for {tag}
Message-ID: <{tag}@quayside-tea.example>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

Hello,

thank you for the call. Could you send us a price for one LB-3, delivered
before 1 March 2027? We can spend £9,400. My number is 0113 496 0355.

Rosalind Achebe
Quayside Tea Ltd

On Thu, 12 Nov 2026 at 15:40, Sales <sales@brackwell.example> wrote:
> Dear Ms Achebe,
>
> the LB-3 labels up to 60 jars a minute. Shall we call you?
>
> On Wed, 11 Nov 2026 at 08:02, Rosalind Achebe wrote:
>> Do you sell labelling machines for small jars? Order {tag}.
"""


def mail_chain(tag: str) -> Input:
    says = (
        "contact name: Rosalind Achebe\ncompany: Quayside Tea Ltd\nemail: r.achebe@quayside-tea.example\n"
        "phone: 0113 496 0355\nproduct: LB-3\nbudget: £9,400\nwanted by: 1 March 2027\nowner: machines\n"
        "next action: quote\n[[unsure next_action]]"
    )
    content = MAIL.format(tag=tag).encode()
    return Input(
        slug=LEADS, title=f"Labelling machine for {tag}", match=tag, says=says,
        files=(Upload(name="mail.eml", content=content, media_type="message/rfc822"),),
    )  # fmt: skip


def web_form(tag: str, *, behaviour: str = "") -> Input:
    text = (
        f"Form: Contact {tag}\nName: Pavel Hruby\nE-mail: p.hruby@limnice.example\n"
        "Message: The belt of our LB-3 came off again. What would a new belt cost, with post? No hurry.\n"
    )
    says = "contact name: Pavel Hruby\nemail: p.hruby@limnice.example\nproduct: LB-3\nowner: parts\nnext action: quote"
    return Input(
        slug=LEADS, title=f"Web form {tag}", match=f"Contact {tag}", says=says, behaviour=behaviour, text=text
    )


def transcript(tag: str) -> Input:
    text = (
        f"Date: Monday 16 November 2026, 09:05 (outbound, {tag})\n"
        "Joost: Hello, Joost Verhagen, Brackwell. Is that Mrs Lindqvist-Oyelaran?\n"
        "Customer: Ingrid Lindqvist-Oyelaran, yes, Nordlys Seafood. The offer Q-5100 has no delivery time.\n"
        "Joost: Tom writes those. He will send you a new offer by Thursday, the 19th.\n"
        "Customer: Thank you. My mobile is 07700 900 355, not the office, please.\n"
        "Joost: I have written it down.\n"
    )
    says = (
        "caller: Ingrid Lindqvist-Oyelaran\ncompany: Nordlys Seafood\nphone: 07700 900 355\nreference: Q-5100\n"
        "called on: Monday 16 November 2026\nowner: tom\ntask: quote"
    )
    return Input(slug=CALLS, title=f"Call {tag}", match=tag, says=says, text=text)
