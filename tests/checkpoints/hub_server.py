"""A small stand-in for the Hugging Face Hub on loopback: real HTTP, and the parts of its API that huggingface_hub uses.

Repositories live in memory. As on the Hub, large files are LFS objects: answered with a redirect to another address
that knows byte ranges, uploaded one by one, and told by their sha256. A test can make the network bad: see `Trouble`.
"""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

LARGE = (".safetensors", ".bin", ".model")
CARD_FIELDS = {"license": str, "library_name": str, "pipeline_tag": str, "tags": list}
TOKEN = "hf_aTokenThatMustNeverBeSeenAnywhere"


@dataclass(frozen=True)
class Blob:
    """A file's content as a repository keeps it."""

    content: bytes
    large: bool

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def git_id(self) -> str:
        """The id that git gives the content, or the pointer to it."""
        stored = self.content
        if self.large:
            text = f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.sha256}\nsize {len(stored)}\n"
            stored = text.encode()
        return hashlib.sha1(b"blob %d\0" % len(stored) + stored).hexdigest()

    @property
    def etag(self) -> str:
        return self.sha256 if self.large else self.git_id


Tree = Mapping[str, Blob]


@dataclass
class Repository:
    private: bool = False
    gated: bool = False
    branches: dict[str, str] = field(default_factory=dict)
    commits: dict[str, Tree] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)

    def commit(self, branch: str, files: Tree, message: str = "") -> str:
        state = [branch, len(self.commits), sorted((name, blob.etag) for name, blob in files.items())]
        oid = hashlib.sha1(json.dumps(state).encode()).hexdigest()
        self.commits[oid], self.branches[branch] = dict(files), oid
        self.messages.append(message)
        return oid

    def resolve(self, revision: str) -> str | None:
        found = self.branches.get(revision, revision)
        return found if found in self.commits else None


@dataclass
class Trouble:
    """What goes wrong, once each: downloads cut after so many bytes, contents damaged, uploads cut, answers refused."""

    cut_downloads: dict[str, int] = field(default_factory=dict)
    damage: set[str] = field(default_factory=set)
    cut_uploads: int = 0
    failures: int = 0


@dataclass
class Hub:
    """The state of the server, for tests to fill and to look at. `log` has one line a request."""

    url: str = ""
    store: str = ""  # where large files are, as on the Hub a host of its own
    repositories: dict[str, Repository] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    trouble: Trouble = field(default_factory=Trouble)
    log: list[str] = field(default_factory=list)

    def add(self, name: str, folder: Path, *, branch: str = "main", **changes: bool) -> str:
        """A repository with the files of a folder; a second time, another commit of it."""
        repository = self.repositories.setdefault(name, Repository())
        for key, value in changes.items():
            setattr(repository, key, value)
        files = {path.name: self.blob(path.name, path.read_bytes()) for path in folder.iterdir() if path.is_file()}
        return repository.commit(branch, files)

    def blob(self, name: str, content: bytes) -> Blob:
        blob = Blob(content, large=name.endswith(LARGE))
        if blob.large:
            self.objects[blob.sha256] = content
        return blob


class Handler(BaseHTTPRequestHandler):
    hub: Hub
    payload = b""
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.route()

    def do_GET(self) -> None:
        self.route()

    def do_POST(self) -> None:
        self.payload = self.raw_body()  # always read, or the next request would begin in the midst of it
        self.route()

    def do_PUT(self) -> None:
        self.route()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on stderr; requests go to the hub's log."""

    def route(self) -> None:
        address = urlsplit(self.path)
        self.hub.log.append(f"{self.command} {unquote(address.path)} {self.headers.get('Range', '')}".strip())
        parts = [unquote(part) for part in address.path.strip("/").split("/")]
        if self.hub.trouble.failures > 0:
            self.hub.trouble.failures -= 1
            return self.answer(500, {"error": "out of order"})
        if parts[0] == "objects":
            assert "Authorization" not in self.headers, "a token went to another host"
            return self.upload(parts[1]) if self.command == "PUT" else self.download(parts[1])
        if parts[0] == "api":
            return self.api(parts[1:], parse_qs(address.query))
        if parts[-3:] == ["lfs", "objects", "batch"]:
            return self.batch()
        if len(parts) > 4 and parts[2] == "resolve":
            return self.file("/".join(parts[:2]), parts[3], "/".join(parts[4:]))
        return self.answer(404, {"error": "no such page"})

    # what it knows of

    def api(self, parts: list[str], query: Mapping[str, list[str]]) -> None:
        if parts == ["validate-yaml"]:
            return self.answer(*_judged(self.body()["content"]))
        if self.command == "POST" and not self.is_known():
            return self.answer(401, {"error": "Invalid username or password."})
        if parts == ["repos", "create"]:
            return self.create()
        name, action = "/".join(parts[1:3]), parts[3:]
        repository = self.find(name)
        if repository is None:
            return None
        if action[:1] == ["branch"]:
            taken = action[1] in repository.branches
            repository.branches.setdefault(action[1], repository.branches["main"])
            return self.answer(409 if taken else 200, {})
        revision = action[1] if len(action) > 1 else "main"
        oid = repository.resolve(revision)
        if oid is None:
            return self.answer(404, {"error": "Invalid rev id"}, {"X-Error-Code": "RevisionNotFound"})
        files = repository.commits[oid]
        if action[:1] == ["tree"]:
            return self.answer(200, [_tree_entry(path, blob) for path, blob in files.items()])
        if action[:1] == ["preupload"]:
            return self.answer(200, {"files": [_upload_mode(file, files) for file in self.body()["files"]]})
        if action[:1] == ["commit"]:
            return self.commit(name, repository, revision)
        detailed = "blobs" in query
        siblings = [{"rfilename": path, **(_details(blob) if detailed else {})} for path, blob in files.items()]
        info = {"_id": "0", "id": name, "modelId": name, "sha": oid, "private": repository.private, "tags": []}
        return self.answer(200, {**info, "siblings": siblings})

    def create(self) -> None:
        wish = self.body()
        name = f"{wish['organization'] or 'somebody'}/{wish['name']}"
        if name in self.hub.repositories:
            return self.answer(409, {"error": "You already created this model repo", "url": f"{self.hub.url}/{name}"})
        repository = self.hub.repositories[name] = Repository(private=wish.get("visibility") == "private")
        repository.commit("main", {".gitattributes": Blob(b"*.bin filter=lfs\n", large=False)}, "initial commit")
        return self.answer(200, {"url": f"{self.hub.url}/{name}", "name": name, "id": name})

    def commit(self, name: str, repository: Repository, branch: str) -> None:
        files = dict(repository.commits[repository.branches[branch]])
        lines = [json.loads(line) for line in self.payload.splitlines()]
        for line in lines[1:]:
            value = line["value"]
            if line["key"] == "deletedFile":
                del files[value["path"]]
            elif line["key"] == "lfsFile":
                files[value["path"]] = Blob(self.hub.objects[value["oid"]], large=True)
            else:
                files[value["path"]] = Blob(base64.b64decode(value["content"]), large=False)
        oid = repository.commit(branch, files, lines[0]["value"]["summary"])
        self.answer(200, {"success": True, "commitOid": oid, "commitUrl": f"{self.hub.url}/{name}/commit/{oid}"})

    # large files

    def batch(self) -> None:
        if not self.is_known():
            return self.answer(401, {"error": "Invalid username or password."})
        objects = []
        for wish in self.body()["objects"]:
            upload = {"upload": {"href": f"{self.hub.store}/objects/{wish['oid']}"}}
            objects.append({**wish, **({} if wish["oid"] in self.hub.objects else {"actions": upload})})
        return self.answer(200, {"transfer": "basic", "objects": objects})

    def upload(self, oid: str) -> None:
        if self.hub.trouble.cut_uploads > 0:
            self.hub.trouble.cut_uploads -= 1
            self.rfile.read(1)
            self.close_connection = True
            return
        content = self.raw_body()
        assert hashlib.sha256(content).hexdigest() == oid
        self.hub.objects[oid] = content
        self.answer(200, {})

    def download(self, oid: str) -> None:
        content = self.hub.objects[oid]
        if oid in self.hub.trouble.damage:
            self.hub.trouble.damage.remove(oid)
            content = content[:-1] + bytes([content[-1] ^ 1])
        first = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").split("-")[0])
        sent = content[first:]
        ranged = {"Content-Range": f"bytes {first}-{len(content) - 1}/{len(content)}"} if first else {}
        self.send_response(206 if first else 200)
        self.headers_of({"Content-Length": str(len(sent)), "ETag": f'"{oid}"', **ranged})
        cut = self.hub.trouble.cut_downloads.pop(oid, None)
        self.wfile.write(sent[:cut])
        if cut is not None:
            self.close_connection = True

    def file(self, name: str, revision: str, path: str) -> None:
        repository = self.find(name)
        if repository is None:
            return None
        if repository.gated:
            return self.answer(403, {"error": "gated"}, {"X-Error-Code": "GatedRepo"})
        oid = repository.resolve(revision)
        if oid is None:
            return self.answer(404, {"error": "no revision"}, {"X-Error-Code": "RevisionNotFound"})
        blob = repository.commits[oid].get(path)
        if blob is None:
            return self.answer(404, {"error": "no entry"}, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": oid})
        headers = {"X-Repo-Commit": oid, "ETag": f'"{blob.git_id}"'}
        if not blob.large:
            return self.answer(200, blob.content, headers)
        linked = {"X-Linked-Etag": f'"{blob.sha256}"', "X-Linked-Size": str(len(blob.content))}
        return self.answer(302, b"", {**headers, **linked, "Location": f"{self.hub.store}/objects/{blob.sha256}"})

    # plumbing

    def is_known(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def find(self, name: str) -> Repository | None:
        """The repository if there is one for this user; else the answer is given, 401 to whom the Hub does not know."""
        repository = self.hub.repositories.get(name)
        if repository is not None and (self.is_known() or not repository.private):
            return repository
        if self.is_known():
            self.answer(404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"})
        else:
            self.answer(401, {"error": "Invalid username or password."}, {"X-Error-Code": "RepoNotFound"})
        return None

    def raw_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        content = b""
        while size := int(self.rfile.readline(), 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return content

    def body(self) -> dict:
        return json.loads(self.payload)

    def headers_of(self, headers: Mapping[str, str]) -> None:
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def answer(self, status: int, content: object, headers: Mapping[str, str] | None = None) -> None:
        payload = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.headers_of({"Content-Length": str(len(payload)), **(headers or {})})
        if self.command != "HEAD":
            self.wfile.write(payload)


def _judged(card: str) -> tuple[int, dict]:
    """What the Hub says of a model card: no front matter is a warning, a wrong one an error."""
    if not card.startswith("---\n"):
        return 200, {"errors": [], "warnings": [{"message": "empty or missing yaml metadata in repo card"}]}
    front = yaml.safe_load(card.split("---\n")[1])
    wrong = [name for name, kind in CARD_FIELDS.items() if not isinstance(front.get(name), kind)]
    errors = [{"message": f'"{name}" is missing or of a wrong kind'} for name in wrong]
    return 400 if errors else 200, {"errors": errors, "warnings": []}


def _details(blob: Blob) -> dict:
    lfs = {"sha256": blob.sha256, "size": len(blob.content), "pointerSize": 130}
    return {"size": len(blob.content), "blobId": blob.git_id, **({"lfs": lfs} if blob.large else {})}


def _tree_entry(path: str, blob: Blob) -> dict:
    lfs = {"lfs": {"oid": blob.sha256, "size": len(blob.content), "pointerSize": 130}} if blob.large else {}
    return {"type": "file", "path": path, "oid": blob.git_id, "size": len(blob.content), **lfs}


def _upload_mode(file: Mapping[str, str], files: Tree) -> dict:
    mode = "lfs" if file["path"].endswith(LARGE) else "regular"
    former = files.get(file["path"])
    return {"path": file["path"], "uploadMode": mode, "shouldIgnore": False, "oid": former and former.etag}


@contextmanager
def serve() -> Iterator[Hub]:
    """A running hub, on ports of its own."""
    hub = Hub()
    handler = type("BoundHandler", (Handler,), {"hub": hub})
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), handler) for _ in range(2)]
    hub.url, hub.store = (f"http://127.0.0.1:{server.server_port}" for server in servers)
    for server in servers:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield hub
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
