"""The main job, shown and checked: python3 demo.py PYSANDBOX SCRIPT

Runs the same script bare, under the http-only preset, and once more with the
flag that the report's hint names. Every expectation is asserted against the
program's output and pysandbox's report; the exit status is 1 if one fails.
Runs inside integration/world, where the peer serves ports 80 and 8080.
"""

import json
import os
import shlex
import subprocess
import sys
import tempfile

PEER = "203.0.113.80"
PAGE = f"hello from {PEER} port"
REFUSED = "PermissionError: [Errno 13] Permission denied"


class Transcript:
    """Prints what happens and counts the expectations that fail."""

    def __init__(self) -> None:
        self.failures = 0

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        print(f"\n$ {shlex.join(command)}", flush=True)
        result = subprocess.run(command, text=True, capture_output=True, timeout=60)
        for line in (result.stdout + result.stderr).splitlines():
            print(f"  {line}")
        return result

    def expect(self, what: str, met: bool) -> None:
        print(f"  [{'ok' if met else 'FAILED'}] {what}", flush=True)
        if not met:
            self.failures += 1

    def expect_lines(self, output: str, *endings: str) -> None:
        lines = output.splitlines()
        self.expect(f"{len(endings)} lines of output", len(lines) == len(endings))
        for line, ending in zip(lines, endings):
            self.expect(f"{line.split(' -> ')[0].strip()}: {ending}", line.endswith(ending))


def show_bare(transcript: Transcript, script: str) -> None:
    print("\n1. Without a sandbox the script reaches both servers.")
    result = transcript.run([sys.executable, script])
    transcript.expect_lines(result.stdout, f"{PAGE} 80", f"{PAGE} 80", f"{PAGE} 8080")


def show_refusal(transcript: Transcript, pysandbox: str, script: str, report_file: str) -> str:
    """Returns the hint of the refused connect, empty if there is none."""
    print("\n2. Under http-only it reaches port 80, and port 8080 is refused.")
    command = [pysandbox, "exec", "--preset", "http-only", "--report", report_file, script]
    result = transcript.run(command)
    transcript.expect_lines(result.stdout, f"{PAGE} 80", f"{PAGE} 80", REFUSED)
    transcript.expect("the script survives the refusal: exit status 0", result.returncode == 0)

    print("\n3. The report names the target, the rule and what would allow it.")
    with open(report_file, encoding="utf-8") as file:
        report = json.load(file)
    print("  " + json.dumps(report["violations"], indent=2).replace("\n", "\n  "))
    transcript.expect(f"outcome is {report['outcome']}, in the {report['tier']} tier",
                      (report["outcome"], report["tier"]) == ("exited", "full"))
    transcript.expect("exactly one violation", len(report["violations"]) == 1)
    violation = report["violations"][0] if report["violations"] else {}
    for key, wanted in (
        ("operation", "connect"),
        ("target", f"tcp://{PEER}:8080"),
        ("rule", "network.default"),
        ("errno", "EACCES"),
        ("hint", f"--allow-net=tcp://{PEER}:8080"),
    ):
        transcript.expect(f"{key} is {wanted}", violation.get(key) == wanted)
    return str(violation.get("hint", ""))


def show_hint(transcript: Transcript, pysandbox: str, script: str, hint: str) -> None:
    print("\n4. The hint is the flag that allows it.")
    result = transcript.run([pysandbox, "exec", "--preset", "http-only", *shlex.split(hint), script])
    transcript.expect_lines(result.stdout, f"{PAGE} 80", f"{PAGE} 80", f"{PAGE} 8080")


def main() -> int:
    pysandbox, script = sys.argv[1:]
    print(f"pysandbox demo: two HTTP servers at {PEER} (TEST-NET-3), ports 80 and 8080,")
    print(f"outside the sandbox and not of this host; running as uid {os.getuid()}")
    transcript = Transcript()
    with tempfile.TemporaryDirectory() as directory:
        show_bare(transcript, script)
        hint = show_refusal(transcript, pysandbox, script, os.path.join(directory, "report.json"))
        show_hint(transcript, pysandbox, script, hint)
    if transcript.failures:
        print(f"\ndemo: {transcript.failures} expectations FAILED")
        return 1
    print("\ndemo: everything as expected")
    return 0


if __name__ == "__main__":
    sys.exit(main())
