# Brings keel, checked by its digest; tried again while the network is not there yet. What came whole and is another one is refused at once.
import hashlib, http.client, os, sys, time, urllib.request

URL = @URL@
SHA256 = @SHA256@
TO = @TO@
MOST = 1 << 30


def digest_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as source:
        for piece in iter(lambda: source.read(1 << 20), b""):
            digest.update(piece)
    return digest.hexdigest()


def bring():
    part = TO + ".new"
    with urllib.request.urlopen(URL, timeout=60) as source, open(part, "wb") as to:
        for piece in iter(lambda: source.read(1 << 20), b""):
            to.write(piece)
            if to.tell() > MOST:
                os.unlink(part)
                sys.exit("keel is not taken from " + URL + ": it has more than %d bytes" % MOST)
        to.flush()
        os.fsync(to.fileno())
        size, wanted = to.tell(), source.headers["Content-Length"]
    if wanted is not None and size != int(wanted):
        raise OSError("it is cut off: %d of %s bytes came" % (size, wanted))
    found = digest_of(part)
    if found != SHA256:
        os.unlink(part)
        sys.exit("keel is not taken from " + URL + ": it has the SHA-256 " + found + ", and " + SHA256 + " is wanted")
    os.chmod(part, 0o755)
    os.replace(part, TO)


if os.path.exists(TO) and digest_of(TO) == SHA256:
    sys.exit(0)
for pause in [2, 5, 10, 20, 40, 60, 120, 0]:
    try:
        bring()
        sys.exit(0)
    except (OSError, http.client.HTTPException) as error:
        print("keel is not brought from", URL + ":", error, file=sys.stderr)
        time.sleep(pause)
sys.exit(1)
