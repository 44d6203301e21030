from email.message import EmailMessage

import pytest

from integrations.documents.pages import Reason, Unreadable
from integrations.documents.reader import Reader
from tests.integrations.documents.samples import as_bytes, invoice, pdf, picture


def mail(body: str, **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Rosa Lindqvist <rosa@kiln.example>"
    message["To"] = "office@countersign.example"
    message["Subject"] = "Question about 40 boxes"
    message["Date"] = "Tue, 04 Mar 2025 09:15:00 +0100"
    message["Message-ID"] = "<1@kiln.example>"
    for name, value in headers.items():
        del message[name]
        message[name] = value
    message.set_content(body)
    return message


def read(reader: Reader, message: EmailMessage):
    return reader.read(content=message.as_bytes(), name="mail.eml")


def test_a_mail_is_its_visible_headers_and_its_body(reader: Reader) -> None:
    reading = read(reader, mail("Can you send 40 boxes?\n", Subject="Grüße aus Köln"))
    assert reading.pages[0].text == (
        "From: Rosa Lindqvist <rosa@kiln.example>\n"
        "To: office@countersign.example\n"
        "Date: Tue, 04 Mar 2025 09:15:00 +0100\n"
        "Subject: Grüße aus Köln\n\n"
        "Can you send 40 boxes?"
    )
    assert reading.title == "Grüße aus Köln"
    assert reading.sent_at == "2025-03-04T09:15:00+01:00"
    assert reading.newest_end is None


CHAINS = {
    "gmail": "On Mon, Mar 3, 2025 at 4:02 PM Office <office@countersign.example> wrote:\n> How many?\n",
    "wrapped": "On Monday, March 3, 2025 at 4:02 PM, The Office of Many Words\n<office@countersign.example> wrote:\n\n> How many?\n",
    "outlook": "________________________________\nFrom: Office\nSent: Monday\nTo: Rosa\nSubject: Boxes\n\nHow many?\n",
    "original": "-----Original Message-----\nFrom: Office\n\nHow many?\n",
    "german": "Am 03.03.2025 um 16:02 schrieb Office <office@countersign.example>:\n> Wie viele?\n",
    "french": "Le lun. 3 mars 2025 à 16:02, Office <office@countersign.example> a écrit :\n> Combien ?\n",
    "any other language": '02.04.2012 14:20 пользователь "Office" <\noffice@countersign.example> написал:\n\n> Hi\n',
}


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
def test_the_newest_part_ends_where_the_older_mails_begin(reader: Reader, chain: str) -> None:
    reading = read(reader, mail("Forty, as I said on the phone: no more.\n\n" + chain))
    text = reading.pages[0].text
    assert reading.newest_end is not None
    assert text[: reading.newest_end].rstrip().endswith("Forty, as I said on the phone: no more.")
    assert text[reading.newest_end :].strip() == chain.strip()


@pytest.mark.parametrize(
    "body",
    [
        "Just a note.\nOn Monday we wrote: nothing at all to anybody.\nRegards\n",
        "---------- Forwarded message ----------\nFrom: A\nDate: Monday\nSubject: Boxes\n\nPlease quote 40 boxes.\n",
        "See below.\n\n> How many?\nForty of them.\n> And when?\nBy Friday at noon.\n",
        "See below.\n\n> How many?\nForty.\n",
    ],
    ids=["no quotation", "only a forwarded mail", "answers between quoted lines", "a short answer below"],
)
def test_all_of_a_mail_counts_as_new_when_nothing_older_stands_alone_at_its_end(
    reader: Reader, body: str
) -> None:
    assert read(reader, mail(body)).newest_end is None


def test_answers_between_quoted_lines_are_noted(reader: Reader) -> None:
    reading = read(reader, mail("See below.\n\n> How many?\nForty of them.\n"))
    assert reading.notes == (
        "The mail has answers below or between quoted lines, so all of it counts as new.",
    )


def test_attachments_come_with_name_type_and_bytes(reader: Reader) -> None:
    message = mail("The invoice is attached.")
    content = pdf(invoice)
    message.add_attachment(content, maintype="application", subtype="pdf", filename="Rechnung März.pdf")
    inner = mail("The order itself", Subject="Order 88")
    message.add_attachment(inner)
    first, second = read(reader, message).attachments
    assert (first.name, first.media_type, first.content) == ("Rechnung März.pdf", "application/pdf", content)
    assert (second.name, second.media_type) == ("Order 88.eml", "message/rfc822")
    assert "The order itself" in reader.read(content=second.content, name=second.name).pages[0].text


def test_a_name_with_folders_in_it_is_only_a_name(reader: Reader) -> None:
    message = mail("Hello")
    message.add_attachment(b"x", maintype="application", subtype="zip", filename="../../etc/passwd")
    assert read(reader, message).attachments[0].name == "passwd"


def test_attachments_beyond_the_limit_are_left_out_with_a_note(reader: Reader) -> None:
    message = mail("Many things")
    for number in range(25):
        message.add_attachment(b"x" * 10, maintype="application", subtype="zip", filename=f"{number}.zip")
    reading = read(reader, message)
    assert len(reading.attachments) == 20
    assert "Not all attachments were kept: only the first 20 were." in reading.notes


def test_a_logo_inside_the_text_is_no_attachment(reader: Reader) -> None:
    message = mail("Hello")
    message.add_alternative("<p>Hello <img src='cid:logo'></p>", subtype="html")
    logo = as_bytes(picture([], size=(20, 20)))
    rich = message.get_body(preferencelist=("html",))
    assert isinstance(rich, EmailMessage)
    rich.add_related(logo, maintype="image", subtype="png", cid="<logo>")
    assert read(reader, message).attachments == ()


def test_the_html_form_is_read_when_the_plain_form_says_nothing(reader: Reader) -> None:
    message = mail("Your mail program does not support HTML.")
    message.add_alternative("<p>Please call me back about order <b>4471</b>.</p>", subtype="html")
    text = read(reader, message).pages[0].text
    assert text.endswith("Please call me back about order 4471.")
    assert "does not support" not in text


def test_the_plain_form_is_read_when_both_say_the_same(reader: Reader) -> None:
    message = mail("Please call me back about order 4471.")
    message.add_alternative("<p>Please call me back about <i>order</i> 4471!</p>", subtype="html")
    assert read(reader, message).pages[0].text.endswith("Please call me back about order 4471.")


def test_a_mail_with_nothing_in_it_is_said_to_be_empty(reader: Reader) -> None:
    with pytest.raises(Unreadable) as why:
        read(reader, mail(""))
    assert why.value.reason is Reason.EMPTY
    assert "Ask the sender" in why.value.next_step


def test_an_empty_body_with_an_attachment_is_a_mail_with_a_note(reader: Reader) -> None:
    message = mail("")
    message.add_attachment(b"%PDF-1.4 ...", maintype="application", subtype="pdf", filename="order.pdf")
    reading = read(reader, message)
    assert reading.pages[0].text.endswith("Subject: Question about 40 boxes")
    assert [one.name for one in reading.attachments] == ["order.pdf"]
    assert reading.notes == ("The mail has no text of its own.",)


def test_an_encrypted_mail_says_so(reader: Reader) -> None:
    content = (
        b"From: a@kiln.example\r\nSubject: secret\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/encrypted; boundary="b"; protocol="application/pgp-encrypted"\r\n\r\n'
        b"--b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n"
        b"--b\r\nContent-Type: application/octet-stream\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n--b--\r\n"
    )
    assert any("encrypted" in note for note in reader.read(content=content, name="mail.eml").notes)


def test_malformed_headers_and_unknown_charsets_are_survived(reader: Reader) -> None:
    content = (
        b"From: =?utf-8?q?broken <a@@@>\r\nTo: <<>>, ;;\r\nDate: the 45th of Never\r\n"
        b"Subject: =?x-none?b?####?=\r\nMessage-ID: <\r\nContent-Type: text/plain; charset=klingon\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\nQ2FuIHlvdSBoZWxwPw\r\n"
    )
    reading = reader.read(content=content, name="odd.eml")
    assert "Can you help?" in reading.pages[0].text
    assert reading.sent_at == ""
