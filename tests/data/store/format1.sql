-- A data directory's sluice.db as format 1 left it: made of that release's own
-- statements. Job 'ran' was running when its server was killed.
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE models (
         id TEXT PRIMARY KEY, spec TEXT NOT NULL, description TEXT NOT NULL,
         create_time INTEGER NOT NULL);
INSERT INTO models VALUES('wow','{}','made by format 1',1700000000000000000);
CREATE TABLE labels (
         model TEXT NOT NULL REFERENCES models ON DELETE CASCADE,
         key TEXT NOT NULL, value TEXT NOT NULL,
         PRIMARY KEY (model, key)) WITHOUT ROWID;
CREATE TABLE versions (
         model TEXT NOT NULL REFERENCES models ON DELETE CASCADE, number INTEGER NOT NULL,
         standardization TEXT NOT NULL, train_job TEXT NOT NULL, source TEXT NOT NULL,
         dataset_hash TEXT NOT NULL, seed INTEGER NOT NULL, create_time INTEGER NOT NULL,
         parameters BLOB NOT NULL,
         PRIMARY KEY (model, number));
INSERT INTO versions VALUES('wow',0,'','','initial','',7,1700000000000000000,X'706172616d6574657273');
CREATE TABLE metrics (
         model TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, value REAL,
         PRIMARY KEY (model, number, name),
         FOREIGN KEY (model, number) REFERENCES versions ON DELETE CASCADE) WITHOUT ROWID;
CREATE TABLE aliases (
         model TEXT NOT NULL, alias TEXT NOT NULL, number INTEGER NOT NULL,
         PRIMARY KEY (model, alias),
         FOREIGN KEY (model, number) REFERENCES versions ON DELETE CASCADE) WITHOUT ROWID;
CREATE TABLE uploads (key INTEGER PRIMARY KEY AUTOINCREMENT);
CREATE TABLE chunks (
         upload INTEGER NOT NULL REFERENCES uploads ON DELETE CASCADE,
         position INTEGER NOT NULL, data BLOB NOT NULL,
         PRIMARY KEY (upload, position));
CREATE TABLE datasets (
         id TEXT PRIMARY KEY, row_count INTEGER NOT NULL, column_count INTEGER NOT NULL,
         dtype TEXT NOT NULL, info TEXT NOT NULL, create_time INTEGER NOT NULL,
         upload INTEGER NOT NULL UNIQUE REFERENCES uploads);
CREATE TABLE jobs (
         key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, model TEXT NOT NULL,
         dataset TEXT NOT NULL, request_id TEXT UNIQUE, state INTEGER NOT NULL,
         attempt INTEGER NOT NULL, create_time INTEGER NOT NULL, start_time INTEGER,
         end_time INTEGER, error TEXT NOT NULL, version INTEGER NOT NULL,
         queue_order INTEGER NOT NULL, payload BLOB NOT NULL);
INSERT INTO jobs VALUES(1,'ran','wow','',NULL,1,2,1700000000000000001,1700000000000000002,NULL,'',-1,1,X'7b7d');
INSERT INTO jobs VALUES(2,'ended','wow','','r2',5,1,1700000000000000003,1700000000000000004,1700000000000000005,'why',-1,2,X'7b7d');
CREATE TABLE updates (
         job INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE, sequence INTEGER NOT NULL,
         time INTEGER NOT NULL, state INTEGER NOT NULL, attempt INTEGER NOT NULL,
         payload BLOB NOT NULL,
         PRIMARY KEY (job, sequence)) WITHOUT ROWID;
INSERT INTO updates VALUES(1,1,1700000000000000002,1,2,X'68616c66');
CREATE TABLE checkpoints (
         job INTEGER PRIMARY KEY REFERENCES jobs ON DELETE CASCADE, data BLOB NOT NULL);
INSERT INTO checkpoints VALUES(1,X'6b657074');
CREATE TABLE snapshots (
         job INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE, epoch INTEGER NOT NULL,
         data BLOB NOT NULL,
         PRIMARY KEY (job, epoch));
DELETE FROM sqlite_sequence;
CREATE INDEX aliases_by_version ON aliases (model, number);
CREATE INDEX jobs_by_model ON jobs (model, id);
CREATE INDEX jobs_by_order ON jobs (queue_order);
CREATE VIEW model_records AS SELECT
         id, spec, description, create_time,
         (SELECT max(number) FROM versions WHERE model = models.id) AS latest_version
       FROM models;
CREATE VIEW job_records AS SELECT
         id, model, dataset, payload, request_id, state, attempt, create_time, start_time,
         end_time, error, version, queue_order,
         (SELECT max(sequence) FROM updates WHERE job = jobs.key) AS last_sequence
       FROM jobs;
COMMIT;
PRAGMA user_version=1;
