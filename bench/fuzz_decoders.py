# SPDX-License-Identifier: Apache-2.0
"""Coverage-guided fuzzing of every decoder (atheris), time-boxed, outside CI.

    pip install atheris
    python bench/fuzz_decoders.py --seconds 60 [--json OUT] [DECODER ...]

Each decoder gets the time alone. Anything but ProtocolError is a finding: the input is printed
and kept by libFuzzer as `crash-...` in the given folder. Prints a table and writes JSON.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def child(name: str, folder: str, seconds: int) -> None:
    """Fuzz one decoder until the time is over; never returns."""
    import atheris

    with atheris.instrument_imports(include=["firmware_protocol"]):
        import importlib

        from firmware_protocol.errors import ProtocolError
        from firmware_protocol.frame import Frame
        from firmware_protocol.registry import Wish, decoders
        from firmware_protocol.sequence import SequenceState, advance

        decoder = decoders()[name]
    module = next(
        m
        for m in list(sys.modules.values())
        if getattr(m, "DECODER", None) is decoder and hasattr(m, "GOLDEN")
    )
    golden = module.GOLDEN
    channels = sorted({g.frame.channel for g in golden})
    corpus = Path(folder) / "corpus"
    corpus.mkdir(exist_ok=True)
    for k, case in enumerate(golden):
        head = bytes([channels.index(case.frame.channel), k, 1])
        (corpus / f"{k}").write_bytes(head + case.frame.payload)
    importlib.invalidate_caches()

    def once(data: bytes) -> None:
        if len(data) < 3:
            return
        channel = channels[data[0] % len(channels)]
        case = golden[data[1] % len(golden)]
        cuts = data[2] % 4 + 1
        body = data[3:]
        session = decoder.open(Wish())
        states: dict[str, SequenceState] = {}
        try:
            for frame in case.before:
                session.feed(frame)
        except ProtocolError:
            return
        size = max(1, -(-len(body) // cuts))
        for k in range(0, max(1, len(body)), size):
            frame = Frame(
                sensor="f",
                channel=channel,
                payload=bytes(body[k : k + size]),
                received_ns=10**18 + k * 10**7,
            )
            try:
                packets = session.feed(frame)
            except ProtocolError:
                continue
            for packet in packets:
                state = states.get(packet.stream.kind, SequenceState())
                _, states[packet.stream.kind] = advance(state, packet)
            session.pending()

    atheris.Setup(
        [
            sys.argv[0],
            f"-max_total_time={seconds}",
            "-max_len=600",
            f"-artifact_prefix={folder}/",
            "-print_final_stats=1",
            str(corpus),
        ],
        once,
    )
    atheris.Fuzz()


def main() -> int:
    """Run the children one after another; 1 when one of them found something."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("decoders", nargs="*")
    parser.add_argument("--seconds", type=int, default=60, help="per decoder")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", nargs=2, metavar=("NAME", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(*options.child, options.seconds)
    from firmware_protocol.registry import decoders

    results = []
    for name in options.decoders or decoders():
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [
                    sys.executable,
                    __file__,
                    "--seconds",
                    str(options.seconds),
                    "--child",
                    name,
                    folder,
                ],
                capture_output=True,
                text=True,
                check=False,
            )
            runs = re.search(r"number_of_executed_units:\s*(\d+)", done.stderr)
            cover = re.findall(r"cov: (\d+)", done.stderr)
            crash = [p.read_bytes().hex() for p in Path(folder).glob("crash-*")]
        results.append(
            {
                "decoder": name,
                "runs": int(runs.group(1)) if runs else 0,
                "coverage": int(cover[-1]) if cover else 0,
                "findings": crash,
                "ok": done.returncode == 0,
            }
        )
        row = results[-1]
        print(
            f"{name:20} {row['runs']:>9} runs {row['coverage']:>5} edges  ok={row['ok']}",
            flush=True,
        )
        if not row["ok"]:
            print(done.stdout[-1500:], done.stderr[-1500:], crash, sep="\n", flush=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0 if all(r["ok"] for r in results) else 1


if __name__ == "__main__":
    sys.exit(main())
