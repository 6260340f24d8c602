-- Runs with all that they depended on; outcomes and series by number, because there are a thousand times as many of
-- them; what a finding looked like in each run.

-- What repeats from run to run, once.
CREATE TABLE text (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;

-- token: the same wherever the run is kept. The four columns after `interrupted` are texts of JSON; with the counts they
-- are NULL for runs of format 1.
CREATE TABLE new_run (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    token TEXT NOT NULL UNIQUE,
    deployment TEXT NOT NULL,
    at INTEGER NOT NULL,
    version TEXT NOT NULL,
    decided INTEGER NOT NULL,
    total INTEGER NOT NULL,
    exit_code INTEGER NOT NULL,
    interrupted TEXT,
    selection INTEGER REFERENCES text (id),
    plugins INTEGER REFERENCES text (id),
    settings INTEGER REFERENCES text (id),
    reasons INTEGER REFERENCES text (id),
    critical INTEGER,
    high INTEGER,
    medium INTEGER,
    low INTEGER,
    info INTEGER,
    appeared INTEGER,
    regressed INTEGER,
    worse INTEGER,
    better INTEGER,
    fixed INTEGER,
    not_looked_at INTEGER
) STRICT;
INSERT INTO new_run (id, token, deployment, at, version, decided, total, exit_code, interrupted)
    SELECT id, lower(hex(randomblob(16))), deployment, at, version, decided, total, exit_code, interrupted FROM run;

-- What a check came to last. faults: how often in a row its judge did not come to an end, with fault_library.
CREATE TABLE known (
    id INTEGER PRIMARY KEY,
    deployment TEXT NOT NULL,
    check_id TEXT NOT NULL,
    run INTEGER,
    at INTEGER,
    outcome INTEGER REFERENCES text (id),
    decided_at INTEGER,
    faults INTEGER NOT NULL DEFAULT 0,
    fault_library INTEGER REFERENCES text (id),
    fault_outcome INTEGER REFERENCES text (id),
    fault_reason INTEGER REFERENCES text (id),
    UNIQUE (deployment, check_id)
) STRICT;

-- One row for each run and check. complete: all there is to see was seen, so that what is not there is gone.
CREATE TABLE new_outcome (
    run INTEGER NOT NULL REFERENCES run (id),
    known INTEGER NOT NULL REFERENCES known (id),
    outcome INTEGER NOT NULL REFERENCES text (id),
    reason INTEGER REFERENCES text (id),
    complete INTEGER NOT NULL,
    PRIMARY KEY (run, known)
) STRICT, WITHOUT ROWID;

INSERT OR IGNORE INTO text (text) SELECT DISTINCT outcome FROM outcome;
INSERT OR IGNORE INTO text (text) SELECT DISTINCT reason FROM outcome WHERE reason IS NOT NULL;
INSERT OR IGNORE INTO text (text) SELECT DISTINCT library FROM outcome;
INSERT INTO known (deployment, check_id)
    SELECT DISTINCT deployment, check_id FROM outcome JOIN run ON run.id = outcome.run
    UNION SELECT DISTINCT deployment, check_id FROM finding;
-- Format 1 did not keep whether everything was seen; what was decided was, as a rule.
INSERT INTO new_outcome (run, known, outcome, reason, complete)
    SELECT outcome.run, known.id, said.id, why.id,
        outcome.outcome IN ('pass', 'finding', 'not-applicable', 'not-licensed', 'attestation-due')
    FROM outcome
    JOIN run ON run.id = outcome.run
    JOIN known ON known.deployment = run.deployment AND known.check_id = outcome.check_id
    JOIN text AS said ON said.text = outcome.outcome
    LEFT JOIN text AS why ON why.text = outcome.reason;

-- With max() alone, SQLite takes the other columns from the row that holds the maximum.
UPDATE known SET run = last.run, at = last.at, outcome = last.outcome FROM (
    SELECT known, max(run) AS run, at, outcome FROM new_outcome JOIN run ON run.id = run GROUP BY known
) AS last WHERE last.known = known.id;
UPDATE known SET decided_at = last.at FROM (
    SELECT known, max(run), at FROM new_outcome JOIN run ON run.id = run JOIN text ON text.id = outcome
    WHERE text IN ('pass', 'finding', 'not-applicable', 'not-licensed') GROUP BY known
) AS last WHERE last.known = known.id;
-- A judge failed as often in a row, with the library of its last failure, as there are asked runs after the last one that
-- went well or had another library.
UPDATE known SET faults = streak.faults, fault_library = streak.library, fault_outcome = streak.outcome,
    fault_reason = streak.reason
FROM (
    SELECT known.id AS known, library.id AS library, said.id AS outcome, why.id AS reason, (
        SELECT count(*) FROM outcome AS other JOIN run ON run.id = other.run
        WHERE run.deployment = known.deployment AND other.check_id = known.check_id AND other.fault = 1
        AND other.run > coalesce((
            SELECT max(well.run) FROM outcome AS well JOIN run ON run.id = well.run
            WHERE run.deployment = known.deployment AND well.check_id = known.check_id
            AND (well.fault = 0 OR well.fault = 1 AND well.library <> last.library)
        ), 0)
    ) AS faults
    FROM known
    JOIN outcome AS last ON last.check_id = known.check_id AND last.run = (
        SELECT max(asked.run) FROM outcome AS asked JOIN run ON run.id = asked.run
        WHERE run.deployment = known.deployment AND asked.check_id = known.check_id AND asked.fault IS NOT NULL
    )
    JOIN text AS library ON library.text = last.library
    JOIN text AS said ON said.text = last.outcome
    LEFT JOIN text AS why ON why.text = last.reason
    WHERE last.fault = 1
) AS streak WHERE streak.known = known.id;

-- One row for each stretch of runs in which a finding was there. closed_run: the run that looked and did not find.
-- Runs may be forgotten before the stretches that they began.
CREATE TABLE new_finding (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    deployment TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    known INTEGER NOT NULL REFERENCES known (id),
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    first_run INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_run INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    times INTEGER NOT NULL,
    closed_run INTEGER,
    closed_at INTEGER
) STRICT;
INSERT INTO new_finding
    SELECT finding.id, finding.deployment, fingerprint, known.id, kind, key, name, first_run, first_at, last_run, last_at,
        times, closed_run, closed_at
    FROM finding
    JOIN known ON known.deployment = finding.deployment AND known.check_id = finding.check_id;

-- How a finding looked from a run on, until the next row. evidence: SHA-256 of what was seen, without its times.
CREATE TABLE look (
    finding INTEGER NOT NULL REFERENCES finding (id),
    run INTEGER NOT NULL,
    severity TEXT NOT NULL,
    says INTEGER NOT NULL REFERENCES text (id),
    affected INTEGER,
    evidence BLOB,
    PRIMARY KEY (finding, run)
) STRICT, WITHOUT ROWID;
INSERT OR IGNORE INTO text (text) SELECT DISTINCT says FROM finding;
INSERT INTO look (finding, run, severity, says, affected)
    SELECT finding.id, first_run, severity, text.id, affected FROM finding JOIN text ON text.text = says;

-- What runs saw that did not see everything; of the others it follows from the stretches.
CREATE TABLE seen (
    run INTEGER NOT NULL REFERENCES run (id),
    finding INTEGER NOT NULL REFERENCES finding (id),
    PRIMARY KEY (run, finding)
) STRICT, WITHOUT ROWID;
INSERT OR IGNORE INTO seen (run, finding)
    SELECT new_outcome.run, new_finding.id FROM new_finding
    JOIN new_outcome ON new_outcome.known = new_finding.known
    AND new_outcome.run IN (new_finding.first_run, new_finding.last_run) AND NOT complete;

CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    deployment TEXT NOT NULL,
    name TEXT NOT NULL,
    unit TEXT NOT NULL,
    UNIQUE (deployment, name)
) STRICT;
-- bound: what the value must not reach, where the check told it.
CREATE TABLE new_measure (
    series INTEGER NOT NULL REFERENCES series (id),
    run INTEGER NOT NULL,
    at INTEGER NOT NULL,
    value REAL NOT NULL,
    bound REAL,
    PRIMARY KEY (series, run)
) STRICT, WITHOUT ROWID;
INSERT INTO series (deployment, name, unit) SELECT deployment, series, unit FROM (
    SELECT deployment, series, unit, max(at) FROM measure GROUP BY deployment, series
);
INSERT INTO new_measure (series, run, at, value)
    SELECT series.id, run, max(at), value FROM measure
    JOIN series ON series.deployment = measure.deployment AND series.name = measure.series GROUP BY series.id, run;

DROP TABLE measure;
DROP TABLE outcome;
DROP TABLE finding;
DROP TABLE run;
ALTER TABLE new_run RENAME TO run;
ALTER TABLE new_outcome RENAME TO outcome;
ALTER TABLE new_finding RENAME TO finding;
ALTER TABLE new_measure RENAME TO measure;

CREATE INDEX run_by_deployment ON run (deployment, id);
CREATE UNIQUE INDEX finding_open ON finding (deployment, fingerprint) WHERE closed_run IS NULL;
CREATE INDEX finding_by_fingerprint ON finding (deployment, fingerprint);
CREATE INDEX finding_open_by_check ON finding (known) WHERE closed_run IS NULL;
