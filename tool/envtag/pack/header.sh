#!/bin/sh
# envtag-pack 1
# An environment for a machine without network: `sh FILE [--prefix DIR]` unpacks it and prints its path.
# It needs Python @MINOR@ or newer to do so; what it runs is in this file. `envtag unpack FILE` does the same.
python=
for name in python3 python3.14 python3.13 python3.12 python3.11 python3.10 python; do
    if "$name" -I -c 'import sys; sys.exit(sys.version_info < (@TUPLE@))' >/dev/null 2>&1; then
        python=$name
        break
    fi
done
if [ -z "$python" ]; then
    echo "error: unpacking needs Python @MINOR@ or newer, and there is none on PATH" >&2
    echo "hint: install one, or unpack it where envtag or micromamba is: see the environment.yml in it" >&2
    exit 1
fi
exec "$python" -I -B -c '
import hashlib, io, json, os, shutil, subprocess, sys, tarfile, tempfile, zipfile

START = 8192
RUN = "import sys; sys.path.insert(0, sys.argv[1]); from envtag.cli import main; main(sys.argv[2:])"


def put(data, place):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(place)
        for name in archive.namelist():
            parts = name.split("/")
            if len(parts) == 3 and parts[0].endswith(".data") and parts[1] == "scripts":
                target = os.path.join(place, "bin", parts[2])
                os.makedirs(os.path.dirname(target), exist_ok=True)
                os.replace(os.path.join(place, name), target)
                os.chmod(target, 0o755)


def provide(path, place):
    with open(path, "rb") as stream:
        stream.seek(START)
        with tarfile.open(fileobj=stream, mode="r:") as tar:
            first = tar.next()
            files = json.loads(tar.extractfile(first).read())["files"]
            wanted = {name for name in files if name.startswith("runtime/")}
            while wanted:
                member = tar.next()
                if member is None:
                    raise EOFError("it is cut off")
                if member.name in wanted:
                    wanted.remove(member.name)
                    data = tar.extractfile(member).read()
                    if hashlib.sha256(data).hexdigest() != files[member.name]:
                        raise ValueError(member.name + " has other bytes than it should")
                    put(data, place)


def main(path, arguments):
    place = tempfile.mkdtemp(prefix="envtag-")
    try:
        try:
            provide(path, place)
        except Exception as error:
            print("error: `" + path + "` is damaged:", str(error) or type(error).__name__, file=sys.stderr)
            print("hint: get the file again; nothing of it was used", file=sys.stderr)
            return 1
        command = [sys.executable, "-I", "-B", "-c", RUN, place, "unpack", *arguments, "--", path]
        return subprocess.call(command, env={**os.environ, "NO_COLOR": "1"})
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(place, ignore_errors=True)


sys.exit(main(sys.argv[1], sys.argv[2:]))
' "$0" "$@"
exit 1
