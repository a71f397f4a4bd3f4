"""The command as a process: report, exit code, and the state after it is killed."""

import json
import signal

import pytest

POINTS = (
    "applying-week_modules",
    *("applying-progress", "applied-progress"),
    *("applying-states", "applied-states"),
    *("applying-bot", "applied-bot"),
)


def report_of(lines: list[dict]) -> dict:
    (report,) = [line["report"] for line in lines if line.get("event") == "report"]
    return report


def test_the_report_for_machines(command, old_files, tmp_path, everything):
    before = everything()
    file, program = tmp_path / "report.json", tmp_path / "program.yaml"
    code, lines = command(old_files, "--report", file, "--yaml", program)
    report = report_of(lines)
    assert code == 0
    assert json.loads(file.read_text()) == report
    assert (report["version"], report["applied"], report["ok"]) == (1, False, True)
    assert [source["status"] for source in report["sources"]] == ["would_apply"] * 4
    assert program.read_text().startswith("slug: driven-legacy")
    assert {line["source"] for line in lines if line.get("event") == "progress"} == {
        str(old_files / name)
        for name in ("user_progress.json", "conversation_states.json", "chat_history.sql")
    }
    assert everything() == before


def test_one_broken_file_among_good_ones(command, old_files, tmp_path, rows):
    broken = tmp_path / "broken.json"
    broken.write_text('{"someone": {"current_week": ')
    code, lines = command(old_files / "user_progress.json", broken, "--apply")
    statuses = {source["kind"]: source["status"] for source in report_of(lines)["sources"]}
    assert code == 1
    # Both are progress: the good one is applied, the broken one refused.
    assert sorted(source["status"] for source in report_of(lines)["sources"]) == ["applied", "refused"]
    assert set(statuses) == {"progress"}
    assert len(rows("SELECT 1 FROM chat.sessions")) == 3


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_any_point_the_next_run_goes_on(command, old_files, everything, rows, point):
    code, _ = command(old_files, "--apply", CHAT_FAULT=f"legacy-{point}", COGNIFLOW_ENV="test")
    assert code == -signal.SIGKILL, f"the fault {point} never fired"
    done, kind = point.split("-", 1)
    kinds = ["week_modules", "progress", "states", "bot"]
    whole = kinds[: kinds.index(kind) + (done == "applied")]
    imported = [row["kind"] for row in rows("SELECT kind FROM chat.legacy_imports ORDER BY import_id")]
    assert imported == whole
    legacy = rows("SELECT legacy_id FROM chat.sessions ORDER BY legacy_id")
    if "progress" not in whole:
        assert legacy == []

    code, lines = command(old_files, "--apply")
    assert code == 0
    statuses = [source["status"] for source in report_of(lines)["sources"]]
    assert statuses == ["already_applied"] * len(whole) + ["applied"] * (4 - len(whole))
    after = everything()
    assert (after["sessions"], after["legacy_imports"], after["conversation_messages"]) == (5, 4, 12)
    code, lines = command(old_files, "--apply")
    assert [source["status"] for source in report_of(lines)["sources"]] == ["already_applied"] * 4
    assert everything() == after


def test_wrong_usage_and_missing_settings(command, tmp_path):
    assert command()[0] == 2
    assert command("--timezone", "Nowhere/Land", "x")[0] == 2
    assert command("--accounts", tmp_path / "gone.csv")[0] == 2
    code, lines = command(tmp_path, DATABASE_URL="postgresql+psycopg2://nobody:x@127.0.0.1:9/none")
    assert code == 1
    assert lines[-1]["event"] == "error"
    assert "PostgreSQL" in lines[-1]["message"]
