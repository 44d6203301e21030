"""What the sample history is about: messages of nobody to nobody, with the values that stand in them.

Names are put together from two lists each, domains end in `.example`, phone numbers come from ranges kept for fiction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

FIRST = (
    "Ada", "Bram", "Cleo", "Dario", "Edda", "Fenna", "Gwil", "Hedda", "Ivo", "Juno", "Kasper", "Lotte", "Mirko", "Nell",
    "Otis", "Petra", "Quinn", "Rosa", "Sten", "Tilda", "Una", "Vito", "Wanda", "Yara",
)  # fmt: skip
LAST = (
    "Alderquist", "Birchmoor", "Corvane", "Dellbrook", "Emberling", "Fallowick", "Greyholt", "Hartsmere", "Ironvale",
    "Juniperly", "Kestrow", "Larkwhistle", "Mossgrave", "Nettlecombe", "Osterwyn", "Pebblethorn", "Quillhaven", "Rushmarten",
)  # fmt: skip
PLACE = (
    "Amberfold", "Brindlewick", "Copperstead", "Dunmarrow", "Elmsworthy", "Foxglade", "Gorsefield", "Hollowbeck",
    "Inglemoor", "Kingsfennel", "Larchdown", "Millowby", "Nettlestone", "Oxlip", "Plumridge", "Quenderby", "Sedgewater",
    "Thistledon",
)  # fmt: skip
MAKERS = ("Dairy", "Preserves", "Mills", "Chocolate", "Cider", "Biscuits", "Spices", "Pet Foods", "Teas")
SUPPLIERS = (
    "Bearings",
    "Cartons",
    "Drives",
    "Fasteners",
    "Films",
    "Haulage",
    "Labels",
    "Pneumatics",
    "Steel",
)
MACHINES = ("BX-40", "BX-60", "LB-3", "TS-3", "TS-5")
PEOPLE = {
    "devika": "Devika", "ellis": "Ellis", "joost": "Joost", "marta": "Marta", "pauline": "Pauline",
    "priyanka": "Priyanka", "tom": "Tom",
}  # fmt: skip

Value = tuple[Any, str]  # as it is stored, and as it stands in the text; "" where it is judged, not copied


@dataclass(frozen=True, slots=True)
class Written:
    title: str
    text: str
    values: dict[str, Value]


def write_lead(*, dice: Random, day: date) -> Written:
    who, firm = f"{dice.choice(FIRST)} {dice.choice(LAST)}", f"{dice.choice(PLACE)} {dice.choice(MAKERS)}"
    address = f"{who.split()[0].lower()}@{firm.lower().replace(' ', '-')}.example"
    machine = dice.choice(MACHINES)
    owner, action, asks = dice.choices(
        (
            (
                "machines",
                "quote",
                f"we need a {machine} for a new line. What would it cost, set up and running?",
            ),
            ("machines", "visit", f"could somebody come by and show us the {machine}?"),
            ("machines", "papers", f"we are looking at the {machine}. Can you send the data sheet?"),
            (
                "parts",
                "quote",
                f"the sealing jaw of our {machine} is worn. What is a new one, with delivery?",
            ),
            (
                "service",
                "call",
                f"our {machine} stops every few minutes since this morning. Ring us, if you can.",
            ),
            (
                "elsewhere",
                "forward",
                "we clean production halls at night and would like to make you an offer.",
            ),
        ),
        weights=(30, 14, 16, 20, 14, 6),
    )[0]
    values: dict[str, Value] = {
        "contact_name": (who, who), "company": (firm, firm), "email": (address, address), "phone": (None, ""),
        "product": (None, "") if owner == "elsewhere" else (machine, machine), "budget": (None, ""),
        "wanted_by": (None, ""), "owner": (owner, ""), "next_action": (action, ""),
    }  # fmt: skip
    lines = [f"From: {who} <{address}>", f"Date: {day:%Y-%m-%d}", "", "Hello,", asks]
    if owner == "machines" and dice.random() < 0.5:
        budget = Decimal(dice.choices((8, 14, 22, 38, 64), weights=(30, 30, 22, 14, 4))[0] * 1000)
        values["budget"] = ({"amount": f"{budget}.00", "currency": "GBP"}, f"£{budget:,}")
        lines.append(f"We have £{budget:,} for it.")
    if owner != "elsewhere" and dice.random() < 0.4:
        wanted = day + timedelta(days=dice.randint(14, 120))
        values["wanted_by"] = (wanted.isoformat(), f"{wanted.day} {wanted:%B %Y}")
        lines.append(f"It has to be here by {wanted.day} {wanted:%B %Y}.")
    if dice.random() < 0.6:
        values["phone"] = phone = _phone(dice)
        lines.append(f"My number is {phone[1]}.")
    title = {"quote": "Price", "visit": "Visit", "papers": "Data sheet", "call": "Call", "forward": "Offer"}
    about = f" of a {machine}" if owner != "elsewhere" else ""
    return Written(f"{title[action]}{about}, {firm}", "\n".join([*lines, "", who, firm]), values)


def write_invoice(*, dice: Random, day: date) -> Written:
    firm = f"{dice.choice(PLACE)} {dice.choice(SUPPLIERS)} Ltd"
    kind = dice.choices(("invoice", "credit", "reminder", "other"), weights=(84, 6, 6, 4))[0]
    heading = {"invoice": "INVOICE", "credit": "CREDIT NOTE", "reminder": "REMINDER", "other": "QUOTATION"}[
        kind
    ]
    number = f"{firm[0]}{dice.choice('ABDFKMRT')}-{dice.randint(1000, 9999)}"
    issued = day - timedelta(days=dice.randint(0, 5))
    net = Decimal(round(min(dice.lognormvariate(6.3, 1.05), 24_000) * 100)) / 100
    tax = (net * Decimal("0.2")).quantize(Decimal("0.01"))
    values: dict[str, Value] = {
        "supplier": (firm, firm), "number": (number, number), "order_number": (None, ""), "iban": (None, ""),
        "issued_on": (issued.isoformat(), f"{issued.day} {issued:%b %Y}"), "due_on": (None, ""),
        "tax": _pounds(tax), "total": _pounds(net + tax), "document": (kind, ""),
    }  # fmt: skip
    lines = [firm, f"{heading} {number}", f"Date: {values['issued_on'][1]}", "To: Brackwell Packing Machines"]
    if dice.random() < 0.86:
        order = f"PO-{dice.randint(80_000, 89_999)}"
        values["order_number"] = (order, order)
        lines.append(f"Your order: {order}")
    lines += ["", f"Goods as delivered  {_pounds(net)[1]}", f"VAT 20 %  {_pounds(tax)[1]}"]
    lines.append(f"Total  {_pounds(net + tax)[1]}")
    if kind in ("invoice", "reminder"):
        due = issued + timedelta(days=30)
        iban = (
            f"GB00 SMPL {dice.randint(1000, 9999)} {dice.randint(1000, 9999)} {dice.randint(1000, 9999)} 00"
        )
        values["due_on"] = (due.isoformat(), f"{due.day} {due:%b %Y}")
        values["iban"] = (iban, iban)
        lines += [f"To be paid by {values['due_on'][1]}", f"IBAN {iban}"]
    return Written(f"{heading.capitalize()} {number}, {firm}", "\n".join(lines), values)


def write_call(*, dice: Random, day: date) -> Written:
    who, firm = f"{dice.choice(FIRST)} {dice.choice(LAST)}", f"{dice.choice(PLACE)} {dice.choice(MAKERS)}"
    key = dice.choice(list(PEOPLE))
    reference = f"{dice.choice(('Q', 'SR', 'AB'))}-{dice.randint(3000, 7999)}"
    task, asks, says = dice.choices(
        (
            ("quote", f"The offer {reference} has run out. We would still like it.", "write a new offer"),
            ("papers", f"The declaration for {reference} never arrived.", "send it again"),
            ("engineer", f"It leaks again, as in ticket {reference}.", "come and look at it"),
            ("check", f"Where is the delivery of {reference}?", "find out and write to you"),
            ("call", f"There is a question about {reference}.", "ring you back"),
            ("nothing", f"I only wanted to say that {reference} is settled.", ""),
        ),
        weights=(18, 18, 20, 22, 14, 8),
    )[0]
    values: dict[str, Value] = {
        "caller": (who, who), "company": (firm, firm), "phone": (None, ""), "reference": (reference, reference),
        "called_on": (day.isoformat(), f"{day.day} {day:%B %Y}"), "due_on": (None, ""),
        "owner": (None if task == "nothing" else key, ""), "task": (task, ""),
    }  # fmt: skip
    lines = [
        f"Date: {values['called_on'][1]}", f"{PEOPLE[key]}: Brackwell, {PEOPLE[key]} speaking.",
        f"Customer: {who} of {firm}. {asks}",
    ]  # fmt: skip
    if says:
        promise = f"{PEOPLE[key]}: I will {says}"
        if dice.random() < 0.72:
            due = day + timedelta(days=dice.randint(1, 12))
            values["due_on"] = (due.isoformat(), f"{due.day} {due:%B}")
            promise += f" by {due.day} {due:%B}"
        lines.append(f"{promise}.")
    if dice.random() < 0.45:
        values["phone"] = phone = _phone(dice)
        lines.append(f"Customer: Best on {phone[1]}.")
    return Written(f"Call of {firm} about {reference}", "\n".join(lines), values)


WRITERS: dict[str, Callable[..., Written]] = {
    "inbound-leads": write_lead, "supplier-invoices": write_invoice, "call-follow-ups": write_call,
}  # fmt: skip


def misread(*, dice: Random, value: Any) -> Any:
    """What a draft may make of a value that it got wrong: a digit, a day, the wrong word, or nothing."""
    if value is None or dice.random() < 0.25:
        return None
    if isinstance(value, dict):
        return {**value, "amount": f"{Decimal(value['amount']) + dice.choice((-10, 9, 90)):.2f}"}
    if len(value) == 10 and value[4] == value[7] == "-":
        return (date.fromisoformat(value) + timedelta(days=dice.choice((-30, -1, 1, 7)))).isoformat()
    return value.split()[0] if " " in value else f"{value[:-1]}0"


def _phone(dice: Random) -> Value:
    tail = dice.randint(0, 999)
    return f"+4416329{60_000 + tail}", f"01632 {960_000 + tail}"


def _pounds(amount: Decimal) -> Value:
    return {"amount": f"{amount:.2f}", "currency": "GBP"}, f"£{amount:,.2f}"
