"""Cases, evaluations and two of them side by side, as people see them."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from tests.factories import ADMIN, MANAGER, STAFF, make_user, make_version, make_workflow
from tests.workflows.admin.conftest import signed_in
from workflows.access import visible
from workflows.evaluation.cases import import_cases
from workflows.evaluation.labels import judge
from workflows.models import Case, CaseResult, Evaluation, Version, Workflow

CSV = (
    "case,text,messy,held_out,name,total,due\n"
    "open,Open text,scan; two pages,no,Ines Okafor,12.50 EUR,2026-11-30\n"
    "secret,Secret text,,yes,Secret Person,99.00 EUR,\n"
)
DRAFTED: dict[str, Any] = {
    "name": "Ines Okafor",
    "total": {"amount": "12.50", "currency": "EUR"},
    "due": "2026-12-24",
}


def import_them(workflow: Workflow) -> None:
    import_cases(workflow=workflow, text=CSV, format="csv", by=None)


def make_evaluation(version: Version, **drafted: Any) -> Evaluation:
    """Of both cases, ended; every case was drafted as DRAFTED with these in their place."""
    row = Evaluation.objects.create(version=version, total=2, started_at=timezone.now())
    values = {**DRAFTED, **drafted}
    for case in Case.objects.filter(workflow=version.workflow):
        gold = dict(case.labels.values_list("key", "value"))
        fields = judge(fields=version.specs(), drafted=values, gold=gold)
        right = sum(one["right"] for one in fields)
        CaseResult.objects.create(
            evaluation=row, case=case, outcome="ok", values=values, fields=fields, right=right, due=len(fields),
            input_hash="h", asked_model="m", model="m-1",
        )  # fmt: skip
        row.right, row.due, row.done = row.right + right, row.due + len(fields), row.done + 1
    row.ended_at = timezone.now()
    row.save()
    return row


def test_cases_are_imported_by_a_form_with_the_files_they_name(workflow: Workflow) -> None:
    client = signed_in(make_user("admin", can=ADMIN, on=workflow))
    table = SimpleUploadedFile("cases.csv", b"file,case,name\nletter.txt,a,Ines Okafor\n")
    letter = SimpleUploadedFile("letter.txt", b"Name: Ines Okafor")
    address = "/admin/workflows/case/add/"
    refused = client.post(address, {"workflow": workflow.pk, "file": table})
    assert refused.status_code == 422
    assert "row 2: the file “letter.txt” did not come with it" in refused.content.decode()
    assert not Case.objects.exists()
    table.seek(0)
    assert (
        client.post(address, {"workflow": workflow.pk, "file": table, "inputs": [letter]}).status_code == 302
    )
    case = Case.objects.get()
    assert (case.name, case.sources.get().name, case.labels.get().value) == ("a", "letter.txt", "Ines Okafor")
    assert case.labels.get().by.username == "admin"
    wrong = client.post(address, {"workflow": workflow.pk, "file": SimpleUploadedFile("a.pdf", b"x")})
    assert "neither a .yaml nor a .csv file" in wrong.content.decode()


def test_a_case_shows_its_text_and_gold_and_a_held_out_one_shows_neither(workflow: Workflow) -> None:
    import_them(workflow)
    client = signed_in(make_user("admin", can=ADMIN, on=workflow))
    open_case, secret = Case.objects.get(name="open"), Case.objects.get(name="secret")
    page = client.get(f"/admin/workflows/case/{open_case.pk}/change/").content.decode()
    for said in ("Open text", "12.50 EUR", "two pages", "No evaluation has run over it yet"):
        assert said in page
    source = client.get(f"/admin/workflows/case/{open_case.pk}/source/{open_case.sources.get().pk}/")
    assert source["Content-Disposition"].startswith("attachment")
    assert b"".join(source.streaming_content) == b"Open text"
    root = make_user("root", superuser=True)
    for reader in (client, signed_in(root)):
        hidden = reader.get(f"/admin/workflows/case/{secret.pk}/change/").content.decode()
        assert "nothing may be written from it" in hidden
        assert "Secret text" not in hidden
        assert "Secret Person" not in hidden
        address = f"/admin/workflows/case/{secret.pk}/source/{secret.sources.get().pk}/"
        assert reader.get(address).status_code == 404


def test_the_list_is_narrowed_and_a_case_is_left_out_by_post_alone(workflow: Workflow) -> None:
    import_them(workflow)
    client = signed_in(make_user("admin", can=ADMIN, on=workflow))

    def names(query: str) -> set[str]:
        page = client.get(f"/admin/workflows/case/?{query}").content.decode()
        return {name for name in ("open", "secret") if f">{name}</a>" in page}

    assert names("") == {"open", "secret"}
    assert names("messy=yes") == names("held_out__exact=0") == {"open"}
    assert names("messy=no") == names("held_out__exact=1") == {"secret"}
    case = Case.objects.get(name="open")
    assert client.get(f"/admin/workflows/case/{case.pk}/active/").status_code == 405
    client.post(f"/admin/workflows/case/{case.pk}/active/", {"active": "0"})
    assert names("active__exact=0") == {"open"}


def test_an_evaluation_tells_each_wrong_field_and_of_held_out_cases_only_which(workflow: Workflow) -> None:
    import_them(workflow)
    row = make_evaluation(workflow.version)
    address = f"/admin/workflows/evaluation/{row.pk}/change/"
    page = signed_in(make_user("admin", can=ADMIN, on=workflow)).get(address).content.decode()
    for said in (
        "2 of 6 fields right",
        "2026-12-24",
        "2026-11-30",
        "Held out: nothing may be written",
        "Total",
        "1 of 2",
        "9 % to 91 %",
    ):
        assert said in page, said
    for hidden in ("Secret Person", "99.00"):
        assert hidden not in page
    reports = signed_in(make_user("manager", can=MANAGER, on=workflow)).get(address).content.decode()
    assert "2 of 6 fields right" in reports
    for hidden in (
        "2026-12-24",
        "2026-11-30",
        "Secret Person",
        f"/admin/workflows/case/{row.results.first().case_id}/",
    ):
        assert hidden not in reports
    assert signed_in(make_user("staff", can=STAFF, on=workflow)).get(address).status_code == 404


def test_two_versions_stand_side_by_side_and_each_difference_is_a_link(workflow: Workflow) -> None:
    import_them(workflow)
    first = make_evaluation(workflow.version)
    second = make_evaluation(make_version(workflow=workflow, number=2), due="2026-11-30", name="Nobody")
    client = signed_in(make_user("admin", can=ADMIN, on=workflow))
    address = f"/admin/workflows/evaluation/{second.pk}/change/"
    page = client.get(f"{address}?with={first.pk}").content.decode()
    assert "1 field is better and 1 worse" in page
    assert "2 differ without being better or worse" in page
    case = Case.objects.get(name="open")
    for evaluation in (first, second):
        assert f"/admin/workflows/evaluation/{evaluation.pk}/change/#case-{case.pk}" in page
    assert f'/admin/workflows/case/{case.pk}/change/">open' in page
    assert "Secret Person" not in page
    other = make_workflow("other", name="Other")
    import_them(other)
    elsewhere = make_evaluation(other.version)
    for wrong in (elsewhere.pk, second.pk, 999999, "x", "9" * 30):
        assert client.get(f"{address}?with={wrong}").status_code == 404


def test_run_evaluation_is_a_post_that_leads_to_its_progress(workflow: Workflow) -> None:
    person = make_user("admin", can=ADMIN, on=workflow)
    client = signed_in(person)
    version = workflow.version
    begin = f"/admin/workflows/version/{version.pk}/evaluate/"
    assert client.get(begin).status_code == 405
    empty = client.post(begin)
    assert empty.status_code == 409
    assert "has no cases yet" in empty.content.decode()
    assert "Import cases" in client.get(f"/admin/workflows/version/{version.pk}/change/").content.decode()
    import_them(workflow)
    answer = client.post(begin)
    row = Evaluation.objects.get()
    assert answer.url == f"/admin/workflows/evaluation/{row.pk}/change/"
    assert (row.by, row.total) == (person, 2)
    assert "It waits for its turn." in client.get(answer.url).content.decode()
    progress = f"/admin/workflows/evaluation/{row.pk}/progress/"
    Evaluation.objects.filter(pk=row.pk).update(started_at=timezone.now(), done=1)
    running = client.get(progress)
    assert "1 of 2 cases are done." in running.content.decode()
    assert "HX-Refresh" not in running
    Evaluation.objects.filter(pk=row.pk).update(ended_at=timezone.now())
    assert client.get(progress)["HX-Refresh"] == "true"
    manager = make_user("manager", can=MANAGER, on=workflow)
    assert signed_in(manager).post(begin).status_code == 403
    assert signed_in(make_user("staff", can=STAFF, on=workflow)).post(begin).status_code == 403
    assert Evaluation.objects.count() == 1
    chosen = {"action": "evaluate", "_selected_action": [version.pk], "index": "0"}
    client.post("/admin/workflows/version/", chosen)
    assert Evaluation.objects.count() == 2
    assert "Run evaluation" in client.get(f"/admin/workflows/workflow/{workflow.pk}/change/").content.decode()


def test_rows_are_seen_by_exactly_those_who_may(workflow: Workflow) -> None:
    import_them(workflow)
    row = make_evaluation(workflow.version)
    other = make_workflow("other")
    seen = {
        "admin": (make_user(can=ADMIN, on=workflow), 2, 1),
        "manager": (make_user(can=MANAGER, on=workflow), 0, 1),
        "staff": (make_user(can=STAFF, on=workflow), 0, 0),
        "elsewhere": (make_user(can=ADMIN, on=other), 0, 0),
    }
    for who, (person, cases, evaluations) in seen.items():
        assert visible(person, Case.objects.all()).count() == cases, who
        assert visible(person, Evaluation.objects.all()).count() == evaluations, who
        assert visible(person, CaseResult.objects.all()).count() == 2 * evaluations, who
        sidebar = signed_in(person).get("/admin/").content.decode()
        assert ("/admin/workflows/case/" in sidebar) == (who in ("admin", "elsewhere")), who
        assert ("/admin/workflows/evaluation/" in sidebar) == (who != "staff"), who
    assert row.results.count() == 2
