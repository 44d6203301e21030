"""Files of cases come in whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from config.demo.loading import FOLDER, SLUGS, golds, load_cases, load_workflow, make_people
from tests.factories import ADMIN, FIELDS, MANAGER, make_user, make_workflow
from tests.workflows.admin.conftest import signed_in
from workflows.errors import InvalidInput, NotPermitted
from workflows.evaluation.cases import Imported, import_case_file, import_cases, set_active
from workflows.intake import Upload, submit
from workflows.models import Case, Label, Workflow

pytestmark = pytest.mark.django_db
LINES = {
    "key": "lines", "label": "Lines", "kind": "rows",
    "columns": [{"key": "what", "label": "What"}, {"key": "amount", "label": "Amount", "kind": "money"}],
}  # fmt: skip


def take_in(
    workflow: Workflow, text: str, *, format: str = "csv", by: Any = None, **files: bytes
) -> Imported:
    return import_cases(
        workflow=workflow,
        text=text,
        format=format,
        by=by,
        find=lambda name: files.get(name.replace(".", "_")),
    )


def gold(name: str) -> dict[str, Any]:
    return dict(Label.objects.filter(case__name=name).values_list("key", "value"))


def test_a_csv_has_a_column_for_each_field_by_key_or_label(workflow: Workflow) -> None:
    text = (
        "\ufeffcase;text;messy;held_out;received;name;Due date;TOPIC;total\r\n"
        'first;"One; with a semicolon";scan; ;2026-03-02;Ines Okafor;30 November 2026;Quote;"1,250.50 EUR"\r\n'
        "second;Two;;yes;;;;;\r\n\r\n"
    )
    assert take_in(workflow, text) == Imported(made=2)
    first, second = Case.objects.get(name="first"), Case.objects.get(name="second")
    assert gold("first") == {
        "name": "Ines Okafor", "due": "2026-11-30", "topic": "quote",
        "total": {"amount": "1250.50", "currency": "EUR"},
    }  # fmt: skip
    assert gold("second") == {"name": None, "due": None, "topic": None, "total": None}
    assert (first.messy, first.held_out, first.origin, str(first.created_at.date())) == (
        ["scan"],
        False,
        "csv",
        "2026-03-02",
    )
    assert (second.held_out, second.expect) == (True, "drafted")
    assert first.sources.get().file.read() == b"One; with a semicolon"


def test_importing_again_updates_by_name_and_says_what_it_did(workflow: Workflow) -> None:
    head = "case,text,name\n"
    take_in(workflow, f"{head}a,Text a,Ines\nb,Text b,Omar\n")
    kept = Case.objects.get(name="a").pk
    assert take_in(workflow, f"{head}a,Text a,Ines\nb,Text b,Olga\nc,Text c,\n") == Imported(
        made=1, changed=1, same=1
    )
    assert (Case.objects.get(name="a").pk, gold("b"), Case.objects.count()) == (kept, {"name": "Olga"}, 3)
    before = Case.objects.get(name="a").content_hash
    assert take_in(workflow, "case,text\na,Another text\n") == Imported(changed=1)
    after = Case.objects.get(name="a")
    assert after.content_hash != before
    assert after.sources.get().file.read() == b"Another text"
    assert gold("a") == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no case in it"),
        ("case,text,nonsense\na,b,c\n", "column “nonsense”: there is no such field; the fields are name, total"),
        ("case,text,name,name\na,b,c,d\n", "column “name”: it is there twice"),
        ("case,name\na,Ines\n", "row 2: there is nothing to read"),
        ("text,name\nLetter,Ines\n", "row 2: it has no name"),
        ("case,text,due\na,b,never\n", "row 2: Due date: “never” is not a date"),
        ("case,text,total\na,b,12.50\n", "row 2: Total: The currency is missing"),
        ("case,text,topic\na,b,refund\n", "is not one of the choices of Topic"),
        ("case,text\na,b\na,c\n", "row 3: the name “a” is there twice"),
        ("case,text\na,b,c,d\n", "row 2: it has more cells than the head has columns"),
        ("case,file\na,../../etc/passwd\n", "the file “../../etc/passwd” did not come with it"),
        ("case,text,held_out\na,b,perhaps\n", "“held out” is yes or no"),
        ("case,text,received\na,b,tomorrow\n", "“received” is a day like 2026-11-22"),
        ("case,text,expect\na,b,magic\n", "“expect” is one of drafted, attention, skipped"),
        ('case,text\na,"b\n', "this is not CSV that can be read"),
        ("case,text\n" + "x" * 201 + ",b\n", "longer than 200 characters"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_row_and_nothing_is_written(
    workflow: Workflow, text: str, said: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        take_in(workflow, text)
    assert said in str(refused.value)
    assert "nothing was changed" in str(refused.value)
    assert not Case.objects.exists()
    assert not Label.objects.exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1", "it has to be a list of cases"),
        ("- [", "line 1"),
        ("- just words", "row 1: a case is written as"),
        ("- {text: a, name: a, value: {name: b}}", "“value” is not known here"),
        ("- {text: a, name: a, values: {other: b}}", "there is no field “other”"),
        ("- {text: a, name: a, values: {total: {amount: '1'}}}", "Total: The currency is missing"),
        ("- &x {text: a, name: a}\n- *x", "an alias"),
        ("- {input: [a.txt, {b: c}]}", "“input” is the name of a file"),
        ("- {text: a, name: a, values: [1]}", "“values” holds one line for each field"),
    ],
)
def test_yaml_is_checked_as_strictly(workflow: Workflow, text: str, said: str) -> None:
    with pytest.raises(InvalidInput, match="nothing was changed") as refused:
        take_in(workflow, text, format="yaml", a_txt=b"A")
    assert said in str(refused.value)
    assert not Case.objects.exists()


def test_one_wrong_row_keeps_all_the_others_out_and_each_wrong_one_is_told(workflow: Workflow) -> None:
    take_in(workflow, "case,text,name\na,Text a,Ines\n")
    rows = "".join(f"w{number},b,never\n" for number in range(20))
    with pytest.raises(InvalidInput, match="8 more rows are wrong") as refused:
        take_in(workflow, f"case,text,due\na,Changed,2026-01-01\n{rows}")
    assert len(refused.value.problems) == 20
    assert gold("a") == {"name": "Ines"}


def test_rows_are_lists_in_yaml_and_json_in_a_cell() -> None:
    workflow = make_workflow(fields=[*FIELDS, LINES])
    yaml = "- {name: a, text: t, values: {lines: [{what: Oak, amount: 12.50 EUR}, {what: Pine}]}}"
    take_in(workflow, yaml, format="yaml")
    wanted = [
        {"what": "Oak", "amount": {"amount": "12.50", "currency": "EUR"}},
        {"what": "Pine", "amount": None},
    ]
    assert gold("a") == {"lines": wanted}
    cell = json.dumps([{"what": "Oak", "amount": "12.50 EUR"}, {"what": "Pine"}]).replace('"', '""')
    take_in(workflow, f'case,text,lines\nb,t,"{cell}"\n')
    assert gold("b") == {"lines": wanted}
    with pytest.raises(InvalidInput, match="Lines has no column “size”"):
        take_in(workflow, "- {name: c, text: t, values: {lines: [{size: 1}]}}", format="yaml")


def test_who_may_import(workflow: Workflow, admin: Any) -> None:
    other = make_workflow("other")
    for person in (make_user(can=MANAGER, on=workflow), make_user(can=ADMIN, on=other)):
        with pytest.raises(NotPermitted):
            take_in(workflow, "case,text\na,b\n", by=person)
    assert not Case.objects.exists()
    take_in(workflow, "case,text,name\na,b,Ines\n", by=admin)
    assert Label.objects.get().by == admin


def test_a_file_finds_its_inputs_beside_it_and_nowhere_else(workflow: Workflow, tmp_path: Path) -> None:
    (tmp_path / "inputs").mkdir()
    (tmp_path / "inputs" / "b.txt").write_text("Letter b")
    (tmp_path / "a.txt").write_text("Letter a")
    path = tmp_path / "cases.csv"
    path.write_text("file,name\na.txt;b.txt,Ines\n")
    assert import_case_file(workflow=workflow, path=path, by=None) == Imported(made=1)
    assert list(Case.objects.get(name="a.txt").sources.values_list("name", flat=True)) == ["a.txt", "b.txt"]
    path.write_text(f"file,name\n{tmp_path}/a.txt,Ines\n")
    with pytest.raises(InvalidInput, match="did not come with it"):
        import_case_file(workflow=workflow, path=path, by=None)
    for name in ("cases.txt", "missing.csv"):
        with pytest.raises(InvalidInput, match="Nothing was imported"):
            import_case_file(workflow=workflow, path=tmp_path / name, by=None)


def test_the_gold_of_the_demo_becomes_cases_of_the_same_content_as_its_items() -> None:
    people = make_people()
    for slug in SLUGS:
        workflow, _ = load_workflow(slug=slug, people=people)
        assert load_cases(workflow=workflow).made == len(golds(slug))
        assert load_cases(workflow=workflow) == Imported(same=len(golds(slug)))
        one = next(each for each in golds(slug) if not each.held_out and each.expect == "drafted")
        files = [
            Upload(name=name, content=(FOLDER / slug / "inputs" / name).read_bytes()) for name in one.inputs
        ]
        item = submit(workflow=workflow, by=people["staff"], channel="demo", files=files).item
        case = Case.objects.get(workflow=workflow, name=one.inputs[0])
        assert (case.content_hash, case.origin, case.held_out) == (item.content_hash, "gold", False)
        assert gold(case.name).keys() == one.values.keys()
        held = workflow.cases.filter(held_out=True).count()
        assert held == sum(each.held_out for each in golds(slug))


@pytest.mark.parametrize(
    "text",
    [
        "- text: 0x" + "F" * 6000 + "\n  name: a\n", "- name: 0x" + "F" * 6000 + "\n  text: a\n",
        "- {text: a, [1]: b}\n", "- {text: a, {b: c}: d}\n", "- {text: a, name: a, values: {[1, 2]: b}}\n",
    ],
)  # fmt: skip
def test_odd_yaml_is_refused_in_words(workflow: Workflow, text: str) -> None:
    with pytest.raises(InvalidInput, match="nothing was changed"):
        take_in(workflow, text, format="yaml")
    assert not Case.objects.exists()


def test_whoever_leaves_a_case_out_or_replaces_its_gold_stands_in_its_history(workflow: Workflow) -> None:
    ann = make_user("ann", can=ADMIN, on=workflow)
    take_in(workflow, "case,text,name,topic\na,Text,Ines Okafor,quote\n")
    case = Case.objects.get()
    set_active(case=case, active=False, by=ann)
    take_in(workflow, "case,text,name\na,Text,Somebody else\n", by=ann)
    told = list(case.history.values_list("history_user__username", "history_change_reason", "active"))
    assert told == [
        ("ann", "Gold values imported", True), ("ann", "Imported", True), ("ann", "Left out of evaluations", False),
        ("system", "Imported", True),
    ]  # fmt: skip
    kept = Label.history.filter(case_id=case.pk, key="name").values_list("value", "history_user__username")
    assert list(kept) == [("Somebody else", "ann"), ("Ines Okafor", "system")]
    gone = Label.history.filter(case_id=case.pk, key="topic").first()
    assert (gone.history_type, gone.history_user, gone.value) == ("-", ann, "quote")
    page = signed_in(ann).get(f"/admin/workflows/case/{case.pk}/history/")
    assert "Left out of evaluations" in page.content.decode()
    outsider = make_user(can=ADMIN, on=make_workflow("elsewhere"))
    assert signed_in(outsider).get(f"/admin/workflows/case/{case.pk}/history/").status_code == 404
