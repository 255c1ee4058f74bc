"""The worker as it is deployed: its own process, the export on stdin."""

import subprocess
import sys

import pytest


def run(export: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "shop_worker"], input=export, capture_output=True, text=True, check=False)


@pytest.mark.full
def test_a_report_is_printed():
    done = run('{"id": 1, "skus": ["samovar"], "grossCents": 10710}\n')
    assert done.returncode == 0
    assert "turnover 107.10" in done.stdout


@pytest.mark.full
def test_a_broken_export_fails_with_the_line():
    done = run("nonsense\n")
    assert done.returncode == 1
    assert "line 1" in done.stderr
