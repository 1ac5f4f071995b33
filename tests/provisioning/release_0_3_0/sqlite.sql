BEGIN TRANSACTION;
CREATE TABLE access_log (
	seq INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	account_id VARCHAR(16) NOT NULL, 
	identified VARCHAR(20) NOT NULL, 
	role VARCHAR(20) NOT NULL, 
	clinic VARCHAR(120) NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	sid VARCHAR(40), 
	day VARCHAR(10), 
	outcome VARCHAR(10) NOT NULL, 
	prev VARCHAR(64) NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_access_log PRIMARY KEY (seq)
);
CREATE TABLE accounts (
	id VARCHAR(16) NOT NULL, 
	username VARCHAR(64) NOT NULL, 
	name VARCHAR(120) NOT NULL, 
	role VARCHAR(20) NOT NULL, 
	clinic_id INTEGER, 
	password_hash VARCHAR NOT NULL, 
	active BOOLEAN NOT NULL, 
	subject VARCHAR(255), 
	CONSTRAINT pk_accounts PRIMARY KEY (id), 
	CONSTRAINT uq_accounts_username UNIQUE (username), 
	CONSTRAINT fk_accounts_clinic_id_clinics FOREIGN KEY(clinic_id) REFERENCES clinics (id)
);
INSERT INTO "accounts" VALUES('wz7ox83xluo1','anna','Anna','clinician',1,'$argon2id$v=19$m=8,t=1,p=1$LjitZix1zoMyVMOuRPplJg$R/PbQ+Muv2wVI7weqz4xEggna0U4ZD0Jq0/H+U+lzXw',1,NULL);
CREATE TABLE api_clients (
	id VARCHAR(16) NOT NULL, 
	name VARCHAR(120) NOT NULL, 
	clinic_id INTEGER NOT NULL, 
	token_digest VARCHAR(64) NOT NULL, 
	active BOOLEAN NOT NULL, 
	CONSTRAINT pk_api_clients PRIMARY KEY (id), 
	CONSTRAINT fk_api_clients_clinic_id_clinics FOREIGN KEY(clinic_id) REFERENCES clinics (id), 
	CONSTRAINT uq_api_clients_token_digest UNIQUE (token_digest)
);
CREATE TABLE clinics (
	id INTEGER NOT NULL, 
	name VARCHAR(120) NOT NULL, 
	CONSTRAINT pk_clinics PRIMARY KEY (id), 
	CONSTRAINT uq_clinics_name UNIQUE (name)
);
INSERT INTO "clinics" VALUES(1,'Norra vårdcentralen');
CREATE TABLE day_salts (
	room_id VARCHAR(64) NOT NULL, 
	day DATE NOT NULL, 
	salt VARCHAR(32) NOT NULL, 
	CONSTRAINT pk_day_salts PRIMARY KEY (room_id, day), 
	CONSTRAINT fk_day_salts_room_id_rooms FOREIGN KEY(room_id) REFERENCES rooms (id)
);
INSERT INTO "day_salts" VALUES('east','2026-11-20','c9ccf3a44b24a0fc231d545edd824f13');
CREATE TABLE ended_sign_ins (
	digest VARCHAR(64) NOT NULL, 
	at DATETIME NOT NULL, 
	CONSTRAINT pk_ended_sign_ins PRIMARY KEY (digest)
);
CREATE TABLE facts (
	name VARCHAR(40) NOT NULL, 
	value VARCHAR NOT NULL, 
	CONSTRAINT pk_facts PRIMARY KEY (name)
);
INSERT INTO "facts" VALUES('schema_version','2');
INSERT INTO "facts" VALUES('secret','a3103e0c18f813a8ba8fe966ba9c57a7ca33b6e1137c8406c034d4344f2c31b1');
INSERT INTO "facts" VALUES('log_head','2:27c5746d466e414e0202583e9dfe10b3d0799f167d18fe9369c4202bf3bdbcd4');
INSERT INTO "facts" VALUES('access_head','0:');
CREATE TABLE help_calls (
	unit_id VARCHAR(63) NOT NULL, 
	call_id VARCHAR(120) NOT NULL, 
	room_id VARCHAR(64) NOT NULL, 
	sid VARCHAR(40), 
	asked_at DATETIME NOT NULL, 
	late BOOLEAN NOT NULL, 
	answered_by VARCHAR(16), 
	answered_at DATETIME, 
	over_at DATETIME, 
	CONSTRAINT pk_help_calls PRIMARY KEY (unit_id), 
	CONSTRAINT fk_help_calls_unit_id_units FOREIGN KEY(unit_id) REFERENCES units (id), 
	CONSTRAINT fk_help_calls_room_id_rooms FOREIGN KEY(room_id) REFERENCES rooms (id)
);
CREATE TABLE meeting_log (
	seq INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	source VARCHAR(10) NOT NULL, 
	unit_id VARCHAR(63), 
	sid VARCHAR(40), 
	kind VARCHAR(40) NOT NULL, 
	fields JSON NOT NULL, 
	unit_epoch INTEGER, 
	unit_seq INTEGER, 
	unit_prev VARCHAR(128), 
	unit_hash VARCHAR(128), 
	unit_signature VARCHAR(120), 
	prev VARCHAR(64) NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_meeting_log PRIMARY KEY (seq)
);
INSERT INTO "meeting_log" VALUES(1,'2026-11-20 08:00:00.000000','region',NULL,'q1seuqzm8pejj4w0','booked','{"by": "acc1", "role": "clinician", "identified": "account", "time": "2026-11-20 10:00\u201311:00"}',NULL,NULL,NULL,NULL,NULL,'','605765ad0ed67b97296b53ab030905049b7b3ea8b1afe78a7d45fd5bbc7c183a');
INSERT INTO "meeting_log" VALUES(2,'2026-11-20 08:00:00.000000','region','unit-1',NULL,'unit_back','{"boot": 4}',NULL,NULL,NULL,NULL,NULL,'605765ad0ed67b97296b53ab030905049b7b3ea8b1afe78a7d45fd5bbc7c183a','27c5746d466e414e0202583e9dfe10b3d0799f167d18fe9369c4202bf3bdbcd4');
CREATE TABLE meeting_standings (
	sid VARCHAR(40) NOT NULL, 
	standing JSON NOT NULL, 
	CONSTRAINT pk_meeting_standings PRIMARY KEY (sid)
);
CREATE TABLE outbox (
	id INTEGER NOT NULL, 
	unit_id VARCHAR(63) NOT NULL, 
	what VARCHAR(20) NOT NULL, 
	CONSTRAINT pk_outbox PRIMARY KEY (id)
);
INSERT INTO "outbox" VALUES(1,'unit-1','config');
INSERT INTO "outbox" VALUES(2,'unit-1','schedule');
INSERT INTO "outbox" VALUES(3,'unit-1','config');
INSERT INTO "outbox" VALUES(4,'unit-1','config');
INSERT INTO "outbox" VALUES(5,'unit-1','schedule');
CREATE TABLE quality (
	sid VARCHAR(40) NOT NULL, 
	source VARCHAR(40) NOT NULL, 
	at DATETIME NOT NULL, 
	kept_at DATETIME NOT NULL, 
	figures JSON NOT NULL, 
	CONSTRAINT pk_quality PRIMARY KEY (sid, source, at)
);
CREATE TABLE quality_calls (
	sid VARCHAR(40) NOT NULL, 
	began DATETIME NOT NULL, 
	ended DATETIME NOT NULL, 
	kept_at DATETIME NOT NULL, 
	reports INTEGER NOT NULL, 
	room_frozen_s DOUBLE NOT NULL, 
	page_frozen_s DOUBLE NOT NULL, 
	away_s DOUBLE NOT NULL, 
	CONSTRAINT pk_quality_calls PRIMARY KEY (sid), 
	CONSTRAINT fk_quality_calls_sid_sessions FOREIGN KEY(sid) REFERENCES sessions (sid)
);
CREATE TABLE queue_entries (
	id INTEGER NOT NULL, 
	queue_id VARCHAR(40) NOT NULL, 
	room_id VARCHAR(64) NOT NULL, 
	unit_id VARCHAR(63) NOT NULL, 
	since DATETIME NOT NULL, 
	state VARCHAR(12) NOT NULL, 
	asked_by VARCHAR(16), 
	taken_by VARCHAR(16), 
	changed_at DATETIME NOT NULL, 
	sid VARCHAR(40), 
	told BOOLEAN NOT NULL, 
	CONSTRAINT pk_queue_entries PRIMARY KEY (id), 
	CONSTRAINT fk_queue_entries_queue_id_queues FOREIGN KEY(queue_id) REFERENCES queues (id), 
	CONSTRAINT fk_queue_entries_room_id_rooms FOREIGN KEY(room_id) REFERENCES rooms (id)
);
CREATE TABLE queues (
	id VARCHAR(40) NOT NULL, 
	name VARCHAR(120) NOT NULL, 
	clinic_id INTEGER NOT NULL, 
	rooms_of JSON NOT NULL, 
	active BOOLEAN NOT NULL, 
	CONSTRAINT pk_queues PRIMARY KEY (id), 
	CONSTRAINT fk_queues_clinic_id_clinics FOREIGN KEY(clinic_id) REFERENCES clinics (id)
);
CREATE TABLE room_units (
	id INTEGER NOT NULL, 
	room_id VARCHAR(64) NOT NULL, 
	unit_id VARCHAR(63) NOT NULL, 
	since DATETIME NOT NULL, 
	until DATETIME, 
	CONSTRAINT pk_room_units PRIMARY KEY (id), 
	CONSTRAINT fk_room_units_room_id_rooms FOREIGN KEY(room_id) REFERENCES rooms (id), 
	CONSTRAINT fk_room_units_unit_id_units FOREIGN KEY(unit_id) REFERENCES units (id)
);
INSERT INTO "room_units" VALUES(1,'east','unit-1','2026-11-20 08:00:00.000000',NULL);
CREATE TABLE rooms (
	id VARCHAR(64) NOT NULL, 
	name VARCHAR(120) NOT NULL, 
	clinic_id INTEGER NOT NULL, 
	unit_id VARCHAR(63), 
	CONSTRAINT pk_rooms PRIMARY KEY (id), 
	CONSTRAINT fk_rooms_clinic_id_clinics FOREIGN KEY(clinic_id) REFERENCES clinics (id), 
	CONSTRAINT uq_rooms_unit_id UNIQUE (unit_id), 
	CONSTRAINT fk_rooms_unit_id_units FOREIGN KEY(unit_id) REFERENCES units (id)
);
INSERT INTO "rooms" VALUES('east','East',1,'unit-1');
INSERT INTO "rooms" VALUES('west','West',1,NULL);
CREATE TABLE seats (
	id VARCHAR(16) NOT NULL, 
	sid VARCHAR(40) NOT NULL, 
	role VARCHAR(20) NOT NULL, 
	label VARCHAR(40) NOT NULL, 
	token_digest VARCHAR(64) NOT NULL, 
	salt VARCHAR(32) NOT NULL, 
	code_digest VARCHAR(64) NOT NULL, 
	failures INTEGER NOT NULL, 
	paused_until DATETIME, 
	created_by VARCHAR(16) NOT NULL, 
	created_at DATETIME NOT NULL, 
	claimed_at DATETIME, 
	closed BOOLEAN NOT NULL, 
	accounts JSON NOT NULL, 
	CONSTRAINT pk_seats PRIMARY KEY (id), 
	CONSTRAINT fk_seats_sid_sessions FOREIGN KEY(sid) REFERENCES sessions (sid), 
	CONSTRAINT uq_seats_token_digest UNIQUE (token_digest)
);
CREATE TABLE sessions (
	sid VARCHAR(40) NOT NULL, 
	ref VARCHAR(8) NOT NULL, 
	room_id VARCHAR(64) NOT NULL, 
	start DATETIME NOT NULL, 
	"end" DATETIME NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	party_role VARCHAR(20) NOT NULL, 
	language VARCHAR(3) NOT NULL, 
	methods JSON NOT NULL, 
	waiting_room BOOLEAN NOT NULL, 
	cancelled BOOLEAN NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	checked_in_at DATETIME, 
	checked_in_how VARCHAR(20), 
	ended_at DATETIME, 
	client_id VARCHAR(16), 
	identifier_digest VARCHAR(64), 
	salt VARCHAR(32) NOT NULL, 
	code_digest VARCHAR(64) NOT NULL, 
	token_digest VARCHAR(64) NOT NULL, 
	version INTEGER NOT NULL, 
	published_version INTEGER NOT NULL, 
	published_unit VARCHAR(63), 
	published_rev INTEGER NOT NULL, 
	served_by_id INTEGER, 
	booked_room_id VARCHAR(64), 
	last_request VARCHAR(120), 
	CONSTRAINT pk_sessions PRIMARY KEY (sid), 
	CONSTRAINT uq_sessions_client_id UNIQUE (client_id, identifier_digest), 
	CONSTRAINT fk_sessions_room_id_rooms FOREIGN KEY(room_id) REFERENCES rooms (id), 
	CONSTRAINT fk_sessions_client_id_api_clients FOREIGN KEY(client_id) REFERENCES api_clients (id), 
	CONSTRAINT fk_sessions_served_by_id_clinics FOREIGN KEY(served_by_id) REFERENCES clinics (id)
);
INSERT INTO "sessions" VALUES('q1seuqzm8pejj4w0','E31','east','2026-11-20 09:00:00.000000','2026-11-20 10:00:00.000000','booked','clinician','sv','["code", "qr", "staff"]',1,0,'booked',NULL,NULL,NULL,NULL,NULL,'c9ccf3a44b24a0fc231d545edd824f13','dad47cfe68a091bd42062863593818a5ceb0e5df2103c476a47cca12a97051f2','b379bff449207aa26a121e91058af55f7303fd931d473e9d4e310e256ea759eb',1,0,NULL,0,NULL,NULL,NULL);
CREATE TABLE sign_in_tries (
	name_digest VARCHAR(64) NOT NULL, 
	failures INTEGER NOT NULL, 
	last DATETIME NOT NULL, 
	until DATETIME, 
	CONSTRAINT pk_sign_in_tries PRIMARY KEY (name_digest)
);
CREATE TABLE staff_members (
	id VARCHAR(16) NOT NULL, 
	clinic_id INTEGER NOT NULL, 
	label VARCHAR(20) NOT NULL, 
	pin_digest VARCHAR NOT NULL, 
	active BOOLEAN NOT NULL, 
	added_at DATETIME NOT NULL, 
	CONSTRAINT pk_staff_members PRIMARY KEY (id), 
	CONSTRAINT uq_staff_members_clinic_id UNIQUE (clinic_id, label), 
	CONSTRAINT fk_staff_members_clinic_id_clinics FOREIGN KEY(clinic_id) REFERENCES clinics (id)
);
INSERT INTO "staff_members" VALUES('evly8g0r',1,'ÅK','$argon2id$v=19$m=8,t=1,p=1$PravL7HZV1608c0n/gG/CQ$Y4t/UtIGXxghsfmA4Av4Jb8T0jwMbXfxlpQP/3cFK3k',1,'2026-11-20 08:00:00.000000');
CREATE TABLE taken (
	sid VARCHAR(40) NOT NULL, 
	account_id VARCHAR(16) NOT NULL, 
	at DATETIME NOT NULL, 
	CONSTRAINT pk_taken PRIMARY KEY (sid), 
	CONSTRAINT fk_taken_sid_sessions FOREIGN KEY(sid) REFERENCES sessions (sid), 
	CONSTRAINT fk_taken_account_id_accounts FOREIGN KEY(account_id) REFERENCES accounts (id)
);
CREATE TABLE unit_chains (
	unit_id VARCHAR(63) NOT NULL, 
	epoch INTEGER NOT NULL, 
	seq INTEGER NOT NULL, 
	hash VARCHAR(128) NOT NULL, 
	CONSTRAINT pk_unit_chains PRIMARY KEY (unit_id)
);
CREATE TABLE unit_keys (
	id INTEGER NOT NULL, 
	unit_id VARCHAR(63) NOT NULL, 
	public_key VARCHAR NOT NULL, 
	certificate_sha256 VARCHAR(64) NOT NULL, 
	not_after DATETIME NOT NULL, 
	added_at DATETIME NOT NULL, 
	CONSTRAINT pk_unit_keys PRIMARY KEY (id), 
	CONSTRAINT fk_unit_keys_unit_id_units FOREIGN KEY(unit_id) REFERENCES units (id), 
	CONSTRAINT uq_unit_keys_certificate_sha256 UNIQUE (certificate_sha256)
);
INSERT INTO "unit_keys" VALUES(1,'unit-1','-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEJ4dosRAhAs1VAIySPQJpIpEGJ3ct
H6n1IWxHrimRsc2yih7mwbOGj0IavbXUgEfLR523eJWJhxFzETgsXe+Mog==
-----END PUBLIC KEY-----
','9cadc7e1235ebe91110e3ba092d9ba902d30a51ad57dd1dde74ae746b08a2d7d','2027-11-22 11:55:25.000000','2026-11-20 08:00:00.000000');
INSERT INTO "unit_keys" VALUES(2,'unit-2','-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8bMLPNkv5GGiLIYNjJT5GUE+wu8e
aMSpZn/Bi5VLwMTxqlhXElBAZoYvsBIC1Mvwf1MF+JVYkFc2xCglIMtNqQ==
-----END PUBLIC KEY-----
','fd18013927bd4e9fc97ae2b95228577aa536fe9b13bafd88a6b713f20e2aab2e','2027-11-22 11:55:25.000000','2026-11-20 08:00:00.000000');
CREATE TABLE unit_reports (
	unit_id VARCHAR(63) NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	since DATETIME, 
	boot INTEGER NOT NULL, 
	faults JSON NOT NULL, 
	info JSON NOT NULL, 
	schedule_epoch INTEGER NOT NULL, 
	schedule_rev INTEGER NOT NULL, 
	schedule_outcome VARCHAR(20) NOT NULL, 
	rejected_sids JSON NOT NULL, 
	config_rev INTEGER NOT NULL, 
	config_errors JSON NOT NULL, 
	CONSTRAINT pk_unit_reports PRIMARY KEY (unit_id), 
	CONSTRAINT fk_unit_reports_unit_id_units FOREIGN KEY(unit_id) REFERENCES units (id)
);
INSERT INTO "unit_reports" VALUES('unit-1','ready','2026-11-20 08:00:00.000000',4,'[]','{"software": "0.3.0", "board": "sim"}',0,0,'','[]',2,'[]');
INSERT INTO "unit_reports" VALUES('unit-2','unknown',NULL,0,'[]','{}',0,0,'','[]',0,'[]');
CREATE TABLE units (
	id VARCHAR(63) NOT NULL, 
	added_at DATETIME NOT NULL, 
	schedule_epoch INTEGER NOT NULL, 
	schedule_rev INTEGER NOT NULL, 
	schedule_sha256 VARCHAR(64) NOT NULL, 
	config JSON NOT NULL, 
	config_rev INTEGER NOT NULL, 
	CONSTRAINT pk_units PRIMARY KEY (id)
);
INSERT INTO "units" VALUES('unit-1','2026-11-20 08:00:00.000000',1,0,'','{"room_name": "East", "staff": [{"id": "evly8g0r", "label": "\u00c5K", "pin_digest": "$argon2id$v=19$m=8,t=1,p=1$PravL7HZV1608c0n/gG/CQ$Y4t/UtIGXxghsfmA4Av4Jb8T0jwMbXfxlpQP/3cFK3k"}], "rooms": [{"id": "west", "name": "West"}], "queues": [], "phone": "0771-11 22 33", "languages": ["sv", "fi"]}',3);
INSERT INTO "units" VALUES('unit-2','2026-11-20 08:00:00.000000',1,0,'','{}',0);
CREATE INDEX ix_meeting_log_unit_id ON meeting_log (unit_id);
CREATE INDEX ix_meeting_log_sid ON meeting_log (sid);
CREATE INDEX ix_quality_kept_at ON quality (kept_at);
CREATE INDEX ix_access_log_at ON access_log (at);
CREATE INDEX ix_access_log_sid ON access_log (sid);
CREATE INDEX ix_access_log_account_id ON access_log (account_id);
CREATE INDEX ix_unit_keys_unit_id ON unit_keys (unit_id);
CREATE INDEX ix_staff_members_clinic_id ON staff_members (clinic_id);
CREATE INDEX ix_queues_clinic_id ON queues (clinic_id);
CREATE INDEX ix_accounts_subject ON accounts (subject);
CREATE INDEX ix_room_units_room_id ON room_units (room_id);
CREATE INDEX ix_queue_entries_room_id ON queue_entries (room_id);
CREATE INDEX ix_queue_entries_state ON queue_entries (state);
CREATE INDEX ix_queue_entries_queue_id ON queue_entries (queue_id);
CREATE INDEX ix_sessions_room_id ON sessions (room_id);
CREATE INDEX ix_sessions_start ON sessions (start);
CREATE INDEX ix_sessions_served_by_id ON sessions (served_by_id);
CREATE INDEX ix_quality_calls_kept_at ON quality_calls (kept_at);
CREATE INDEX ix_seats_sid ON seats (sid);
COMMIT;
