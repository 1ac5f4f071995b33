CREATE TABLE access_log (
	seq INTEGER NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
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
CREATE INDEX ix_access_log_account_id ON access_log (account_id);
CREATE INDEX ix_access_log_at ON access_log (at);
CREATE INDEX ix_access_log_sid ON access_log (sid);
CREATE TABLE clinics (
	id SERIAL NOT NULL, 
	name VARCHAR(120) NOT NULL, 
	CONSTRAINT pk_clinics PRIMARY KEY (id), 
	CONSTRAINT uq_clinics_name UNIQUE (name)
);
CREATE TABLE ended_sign_ins (
	digest VARCHAR(64) NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_ended_sign_ins PRIMARY KEY (digest)
);
CREATE TABLE facts (
	name VARCHAR(40) NOT NULL, 
	value VARCHAR NOT NULL, 
	CONSTRAINT pk_facts PRIMARY KEY (name)
);
CREATE TABLE meeting_log (
	seq INTEGER NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
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
CREATE INDEX ix_meeting_log_sid ON meeting_log (sid);
CREATE INDEX ix_meeting_log_unit_id ON meeting_log (unit_id);
CREATE TABLE meeting_standings (
	sid VARCHAR(40) NOT NULL, 
	standing JSON NOT NULL, 
	CONSTRAINT pk_meeting_standings PRIMARY KEY (sid)
);
CREATE TABLE outbox (
	id SERIAL NOT NULL, 
	unit_id VARCHAR(63) NOT NULL, 
	what VARCHAR(20) NOT NULL, 
	CONSTRAINT pk_outbox PRIMARY KEY (id)
);
CREATE TABLE quality (
	sid VARCHAR(40) NOT NULL, 
	source VARCHAR(40) NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	kept_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	figures JSON NOT NULL, 
	CONSTRAINT pk_quality PRIMARY KEY (sid, source, at)
);
CREATE INDEX ix_quality_kept_at ON quality (kept_at);
CREATE TABLE sign_in_tries (
	name_digest VARCHAR(64) NOT NULL, 
	failures INTEGER NOT NULL, 
	last TIMESTAMP WITH TIME ZONE NOT NULL, 
	until TIMESTAMP WITH TIME ZONE, 
	CONSTRAINT pk_sign_in_tries PRIMARY KEY (name_digest)
);
CREATE TABLE unit_chains (
	unit_id VARCHAR(63) NOT NULL, 
	epoch INTEGER NOT NULL, 
	seq INTEGER NOT NULL, 
	hash VARCHAR(128) NOT NULL, 
	CONSTRAINT pk_unit_chains PRIMARY KEY (unit_id)
);
CREATE TABLE units (
	id VARCHAR(63) NOT NULL, 
	added_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	schedule_epoch INTEGER NOT NULL, 
	schedule_rev INTEGER NOT NULL, 
	schedule_sha256 VARCHAR(64) NOT NULL, 
	config JSON NOT NULL, 
	config_rev INTEGER NOT NULL, 
	CONSTRAINT pk_units PRIMARY KEY (id)
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
CREATE INDEX ix_accounts_subject ON accounts (subject);
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
CREATE TABLE queues (
	id VARCHAR(40) NOT NULL, 
	name VARCHAR(120) NOT NULL, 
	clinic_id INTEGER NOT NULL, 
	rooms_of JSON NOT NULL, 
	active BOOLEAN NOT NULL, 
	CONSTRAINT pk_queues PRIMARY KEY (id), 
	CONSTRAINT fk_queues_clinic_id_clinics FOREIGN KEY(clinic_id) REFERENCES clinics (id)
);
CREATE INDEX ix_queues_clinic_id ON queues (clinic_id);
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
CREATE TABLE staff_members (
	id VARCHAR(16) NOT NULL, 
	clinic_id INTEGER NOT NULL, 
	label VARCHAR(20) NOT NULL, 
	pin_digest VARCHAR NOT NULL, 
	active BOOLEAN NOT NULL, 
	added_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_staff_members PRIMARY KEY (id), 
	CONSTRAINT uq_staff_members_clinic_id UNIQUE (clinic_id, label), 
	CONSTRAINT fk_staff_members_clinic_id_clinics FOREIGN KEY(clinic_id) REFERENCES clinics (id)
);
CREATE INDEX ix_staff_members_clinic_id ON staff_members (clinic_id);
CREATE TABLE unit_keys (
	id SERIAL NOT NULL, 
	unit_id VARCHAR(63) NOT NULL, 
	public_key VARCHAR NOT NULL, 
	certificate_sha256 VARCHAR(64) NOT NULL, 
	not_after TIMESTAMP WITH TIME ZONE NOT NULL, 
	added_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_unit_keys PRIMARY KEY (id), 
	CONSTRAINT fk_unit_keys_unit_id_units FOREIGN KEY(unit_id) REFERENCES units (id), 
	CONSTRAINT uq_unit_keys_certificate_sha256 UNIQUE (certificate_sha256)
);
CREATE INDEX ix_unit_keys_unit_id ON unit_keys (unit_id);
CREATE TABLE unit_reports (
	unit_id VARCHAR(63) NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	since TIMESTAMP WITH TIME ZONE, 
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
CREATE TABLE day_salts (
	room_id VARCHAR(64) NOT NULL, 
	day DATE NOT NULL, 
	salt VARCHAR(32) NOT NULL, 
	CONSTRAINT pk_day_salts PRIMARY KEY (room_id, day), 
	CONSTRAINT fk_day_salts_room_id_rooms FOREIGN KEY(room_id) REFERENCES rooms (id)
);
CREATE TABLE help_calls (
	unit_id VARCHAR(63) NOT NULL, 
	call_id VARCHAR(120) NOT NULL, 
	room_id VARCHAR(64) NOT NULL, 
	sid VARCHAR(40), 
	asked_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	late BOOLEAN NOT NULL, 
	answered_by VARCHAR(16), 
	answered_at TIMESTAMP WITH TIME ZONE, 
	over_at TIMESTAMP WITH TIME ZONE, 
	CONSTRAINT pk_help_calls PRIMARY KEY (unit_id), 
	CONSTRAINT fk_help_calls_unit_id_units FOREIGN KEY(unit_id) REFERENCES units (id), 
	CONSTRAINT fk_help_calls_room_id_rooms FOREIGN KEY(room_id) REFERENCES rooms (id)
);
CREATE TABLE queue_entries (
	id SERIAL NOT NULL, 
	queue_id VARCHAR(40) NOT NULL, 
	room_id VARCHAR(64) NOT NULL, 
	unit_id VARCHAR(63) NOT NULL, 
	since TIMESTAMP WITH TIME ZONE NOT NULL, 
	state VARCHAR(12) NOT NULL, 
	asked_by VARCHAR(16), 
	taken_by VARCHAR(16), 
	changed_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	sid VARCHAR(40), 
	told BOOLEAN NOT NULL, 
	CONSTRAINT pk_queue_entries PRIMARY KEY (id), 
	CONSTRAINT fk_queue_entries_queue_id_queues FOREIGN KEY(queue_id) REFERENCES queues (id), 
	CONSTRAINT fk_queue_entries_room_id_rooms FOREIGN KEY(room_id) REFERENCES rooms (id)
);
CREATE INDEX ix_queue_entries_queue_id ON queue_entries (queue_id);
CREATE INDEX ix_queue_entries_room_id ON queue_entries (room_id);
CREATE INDEX ix_queue_entries_state ON queue_entries (state);
CREATE TABLE room_units (
	id SERIAL NOT NULL, 
	room_id VARCHAR(64) NOT NULL, 
	unit_id VARCHAR(63) NOT NULL, 
	since TIMESTAMP WITH TIME ZONE NOT NULL, 
	until TIMESTAMP WITH TIME ZONE, 
	CONSTRAINT pk_room_units PRIMARY KEY (id), 
	CONSTRAINT fk_room_units_room_id_rooms FOREIGN KEY(room_id) REFERENCES rooms (id), 
	CONSTRAINT fk_room_units_unit_id_units FOREIGN KEY(unit_id) REFERENCES units (id)
);
CREATE INDEX ix_room_units_room_id ON room_units (room_id);
CREATE TABLE sessions (
	sid VARCHAR(40) NOT NULL, 
	ref VARCHAR(8) NOT NULL, 
	room_id VARCHAR(64) NOT NULL, 
	start TIMESTAMP WITH TIME ZONE NOT NULL, 
	"end" TIMESTAMP WITH TIME ZONE NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	party_role VARCHAR(20) NOT NULL, 
	language VARCHAR(3) NOT NULL, 
	methods JSON NOT NULL, 
	waiting_room BOOLEAN NOT NULL, 
	cancelled BOOLEAN NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	checked_in_at TIMESTAMP WITH TIME ZONE, 
	checked_in_how VARCHAR(20), 
	ended_at TIMESTAMP WITH TIME ZONE, 
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
CREATE INDEX ix_sessions_room_id ON sessions (room_id);
CREATE INDEX ix_sessions_served_by_id ON sessions (served_by_id);
CREATE INDEX ix_sessions_start ON sessions (start);
CREATE TABLE quality_calls (
	sid VARCHAR(40) NOT NULL, 
	began TIMESTAMP WITH TIME ZONE NOT NULL, 
	ended TIMESTAMP WITH TIME ZONE NOT NULL, 
	kept_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	reports INTEGER NOT NULL, 
	room_frozen_s DOUBLE PRECISION NOT NULL, 
	page_frozen_s DOUBLE PRECISION NOT NULL, 
	away_s DOUBLE PRECISION NOT NULL, 
	CONSTRAINT pk_quality_calls PRIMARY KEY (sid), 
	CONSTRAINT fk_quality_calls_sid_sessions FOREIGN KEY(sid) REFERENCES sessions (sid)
);
CREATE INDEX ix_quality_calls_kept_at ON quality_calls (kept_at);
CREATE TABLE seats (
	id VARCHAR(16) NOT NULL, 
	sid VARCHAR(40) NOT NULL, 
	role VARCHAR(20) NOT NULL, 
	label VARCHAR(40) NOT NULL, 
	token_digest VARCHAR(64) NOT NULL, 
	salt VARCHAR(32) NOT NULL, 
	code_digest VARCHAR(64) NOT NULL, 
	failures INTEGER NOT NULL, 
	paused_until TIMESTAMP WITH TIME ZONE, 
	created_by VARCHAR(16) NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	claimed_at TIMESTAMP WITH TIME ZONE, 
	closed BOOLEAN NOT NULL, 
	accounts JSON NOT NULL, 
	CONSTRAINT pk_seats PRIMARY KEY (id), 
	CONSTRAINT fk_seats_sid_sessions FOREIGN KEY(sid) REFERENCES sessions (sid), 
	CONSTRAINT uq_seats_token_digest UNIQUE (token_digest)
);
CREATE INDEX ix_seats_sid ON seats (sid);
CREATE TABLE taken (
	sid VARCHAR(40) NOT NULL, 
	account_id VARCHAR(16) NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_taken PRIMARY KEY (sid), 
	CONSTRAINT fk_taken_sid_sessions FOREIGN KEY(sid) REFERENCES sessions (sid), 
	CONSTRAINT fk_taken_account_id_accounts FOREIGN KEY(account_id) REFERENCES accounts (id)
);
