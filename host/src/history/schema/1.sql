-- Times are microseconds since 1970.

CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    deployment TEXT NOT NULL,
    at INTEGER NOT NULL,
    version TEXT NOT NULL,
    decided INTEGER NOT NULL,
    total INTEGER NOT NULL,
    exit_code INTEGER NOT NULL,
    interrupted TEXT
) STRICT;
CREATE INDEX run_by_deployment ON run (deployment, id);

-- fault: 1 the judge did not come to an end, 0 it did, NULL it was not asked.
CREATE TABLE outcome (
    run INTEGER NOT NULL REFERENCES run (id),
    check_id TEXT NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT,
    fault INTEGER,
    library TEXT NOT NULL,
    PRIMARY KEY (check_id, run)
) STRICT, WITHOUT ROWID;

-- One row for each stretch of runs in which a finding was there. closed_run: the run that looked and did not find.
CREATE TABLE finding (
    id INTEGER PRIMARY KEY,
    deployment TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    check_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    severity TEXT NOT NULL,
    says TEXT NOT NULL,
    affected INTEGER,
    first_run INTEGER NOT NULL REFERENCES run (id),
    first_at INTEGER NOT NULL,
    last_run INTEGER NOT NULL REFERENCES run (id),
    last_at INTEGER NOT NULL,
    times INTEGER NOT NULL,
    closed_run INTEGER REFERENCES run (id),
    closed_at INTEGER
) STRICT;
CREATE UNIQUE INDEX finding_open ON finding (deployment, fingerprint) WHERE closed_run IS NULL;
CREATE INDEX finding_by_fingerprint ON finding (deployment, fingerprint);
CREATE INDEX finding_open_by_check ON finding (deployment, check_id) WHERE closed_run IS NULL;

-- What a check with a human side listed last: the subjects that can be attested.
CREATE TABLE listed (
    deployment TEXT NOT NULL,
    check_id TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT,
    PRIMARY KEY (deployment, check_id, fingerprint)
) STRICT, WITHOUT ROWID;

CREATE TABLE measure (
    deployment TEXT NOT NULL,
    series TEXT NOT NULL,
    at INTEGER NOT NULL,
    value REAL NOT NULL,
    unit TEXT NOT NULL,
    run INTEGER NOT NULL REFERENCES run (id),
    PRIMARY KEY (deployment, series, at)
) STRICT, WITHOUT ROWID;

CREATE TABLE duration (
    deployment TEXT NOT NULL,
    request TEXT NOT NULL,
    seconds REAL NOT NULL,
    PRIMARY KEY (deployment, request)
) STRICT, WITHOUT ROWID;

-- entry: the attestation as JSON; hash: of the hash before it and of this entry.
CREATE TABLE attestation (
    id INTEGER PRIMARY KEY,
    deployment TEXT NOT NULL,
    entry TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;
CREATE TRIGGER attestation_is_final BEFORE UPDATE ON attestation
    BEGIN SELECT RAISE(ABORT, 'attestations are only appended'); END;
CREATE TRIGGER attestation_stays BEFORE DELETE ON attestation
    BEGIN SELECT RAISE(ABORT, 'attestations are only appended'); END;

CREATE TABLE answer (
    id INTEGER PRIMARY KEY,
    deployment TEXT NOT NULL,
    input TEXT NOT NULL,
    value TEXT NOT NULL,
    by TEXT NOT NULL,
    at INTEGER NOT NULL,
    valid_until INTEGER,
    note TEXT NOT NULL
) STRICT;
CREATE INDEX answer_by_input ON answer (deployment, input, at);
