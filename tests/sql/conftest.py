"""A small shop as a SQLite file, with odd names, NULLs, a view and a foreign key of each shape."""

from __future__ import annotations

import functools
import os
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jigwork.tools.sql import SQLDatabase

SHOP = """
CREATE TABLE customers (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT UNIQUE, country TEXT, joined DATE
);
CREATE TABLE products (id INTEGER PRIMARY KEY, title TEXT NOT NULL, price NUMERIC(10, 2), "unit price" REAL);
CREATE TABLE orders (
    id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers, placed TEXT, status TEXT, total REAL
);
CREATE TABLE "order lines" (
    order_id INTEGER REFERENCES orders (id), product_id INTEGER REFERENCES products (id), qty INTEGER,
    PRIMARY KEY (order_id, product_id)
);
CREATE TABLE employees (id INTEGER PRIMARY KEY, name TEXT, boss_id INTEGER REFERENCES employees (id));
CREATE TABLE "Select" ("from" TEXT, "we""ird" TEXT, "größe" INTEGER, "a b.c" TEXT);
CREATE TABLE secrets (id INTEGER PRIMARY KEY, token TEXT);
CREATE VIEW big_orders AS SELECT id, printf('%.2f', total) AS amount FROM orders WHERE total > 100;
"""


@pytest.fixture(scope="session")
def shop_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the shop once per session."""
    path = tmp_path_factory.mktemp("shop") / "shop.db"
    connection = sqlite3.connect(path)
    connection.executescript(SHOP)
    countries = ["Brazil", "France", "Côte d'Ivoire", None]
    connection.executemany(
        "INSERT INTO customers VALUES (?, ?, ?, ?, ?)",
        [
            (i, f"Customer {i}", f"c{i}@x.org", countries[i % 4], f"2023-{i % 12 + 1:02}-01")
            for i in range(1, 41)
        ],
    )
    connection.executemany(
        "INSERT INTO products VALUES (?, ?, ?, ?)", [(i, f"Thing {i}", i * 1.5, None) for i in range(1, 21)]
    )
    connection.executemany(
        "INSERT INTO orders VALUES (?, ?, ?, ?, ?)",
        [
            (
                i,
                i % 35 + 1,
                f"2024-{i % 12 + 1:02}-{i % 28 + 1:02} 10:00:00",
                ("paid", "open")[i % 2],
                i * 2.5,
            )
            for i in range(1, 201)
        ],
    )
    connection.executemany(
        'INSERT INTO "order lines" VALUES (?, ?, ?)',
        [(i, j, (i + j) % 5 + 1) for i in range(1, 201) for j in (i % 20 + 1, (i + 7) % 20 + 1)],
    )
    connection.executemany(
        "INSERT INTO employees VALUES (?, ?, ?)", [(1, "Ada", None), (2, "Bo", 1), (3, "Cy", 1)]
    )
    connection.execute("INSERT INTO \"Select\" VALUES ('x', 'y', 3, 'z')")
    connection.execute("INSERT INTO secrets VALUES (1, 'hunter2')")
    connection.commit()
    connection.close()
    return path


@pytest.fixture
def shop(shop_path: Path) -> Iterator[SQLDatabase]:
    """The shop without its secrets."""
    with SQLDatabase(shop_path, deny=["secrets"], timeout=5.0) as database:
        yield database


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of real cases; tests that need it are skipped where it is not named."""
    folder = os.environ.get("JIGWORK_CORPORA")
    if not folder:
        pytest.skip("JIGWORK_CORPORA is not set")
    return Path(folder)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _as_user(name: str, command: list[str]) -> list[str]:
    """Servers refuse to run as root: become the user that their Debian package made."""
    if os.geteuid() != 0:
        return command
    return ["setpriv", "--reuid", name, "--regid", name, "--clear-groups", "--", *command]


def _folder(user: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="jigwork-db-"))
    if os.geteuid() == 0:
        shutil.chown(folder, user)
    return folder


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server of our own, in a folder that is thrown away."""
    homes = sorted(Path("/usr/lib/postgresql").glob("*/bin")) if Path("/usr/lib/postgresql").exists() else []
    if not homes:
        pytest.skip("the Debian package postgresql is not installed")
    folder, port, home = _folder("postgres"), _free_port(), homes[-1]
    data = str(folder / "data")
    run = functools.partial(subprocess.run, check=True, capture_output=True, cwd=folder)
    run(
        _as_user(
            "postgres",
            [str(home / "initdb"), "-D", data, "-A", "trust", "-U", "jig", "--no-sync", "-E", "UTF8"],
        )
    )
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    control = [str(home / "pg_ctl"), "-D", data]
    run(_as_user("postgres", [*control, "-o", options, "-w", "-l", str(folder / "log"), "start"]))
    try:
        yield f"postgresql://jig@127.0.0.1:{port}/postgres"
    finally:
        run(_as_user("postgres", [*control, "-m", "immediate", "stop"]))
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def mariadb_url() -> Iterator[str]:
    """A MariaDB server of our own, in a folder that is thrown away."""
    server, installer = (
        shutil.which("mariadbd", path=f"/usr/sbin:{os.environ['PATH']}"),
        shutil.which("mariadb-install-db"),
    )
    if not server or not installer:
        pytest.skip("the Debian package mariadb-server is not installed")
    folder, port = _folder("mysql"), _free_port()
    common = ["--no-defaults", f"--datadir={folder}/data"]
    install = [installer, *common, "--auth-root-authentication-method=normal", "--skip-test-db"]
    subprocess.run(_as_user("mysql", install), check=True, capture_output=True, cwd=folder)
    network = [
        f"--port={port}",
        "--bind-address=127.0.0.1",
        f"--socket={folder}/s.sock",
        f"--pid-file={folder}/pid",
    ]
    log = (folder / "log").open("wb")
    process = subprocess.Popen(
        _as_user("mysql", [server, *common, *network]), stdout=log, stderr=log, cwd=folder
    )
    try:
        _wait_for(port, process)
        yield f"mysql://root@127.0.0.1:{port}/shop"
    finally:
        process.terminate()
        process.wait(20)
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if process.poll() is not None:
            pytest.fail("the server ended before it answered")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                time.sleep(0.2)
                return
        time.sleep(0.1)
    pytest.fail("the server did not answer")
