-- A dump of a store as the last build before the rooms left it: #1 waits for votes, #2 is approved and queued for Tuesday night, #3 runs.
-- Its bot was killed while #3 installed its dependencies. Made by that build itself; never edited, but for a path (its audit log is a hash chain).
set check_function_bodies = false;

CREATE SCHEMA dbos;

CREATE SCHEMA lockkeeper;

CREATE FUNCTION dbos.enqueue_workflow(workflow_name text, queue_name text, positional_args json[] DEFAULT ARRAY[]::json[], named_args json DEFAULT '{}'::json, class_name text DEFAULT NULL::text, config_name text DEFAULT NULL::text, workflow_id text DEFAULT NULL::text, app_version text DEFAULT NULL::text, timeout_ms bigint DEFAULT NULL::bigint, deadline_epoch_ms bigint DEFAULT NULL::bigint, deduplication_id text DEFAULT NULL::text, priority integer DEFAULT NULL::integer, queue_partition_key text DEFAULT NULL::text, authenticated_user text DEFAULT NULL::text, authenticated_roles text DEFAULT NULL::text, delay_until_epoch_ms bigint DEFAULT NULL::bigint, application_name text DEFAULT NULL::text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_workflow_id TEXT;
    v_serialized_inputs TEXT;
    v_owner_xid TEXT;
    v_now BIGINT;
    v_recovery_attempts INT4 := 0;
    v_priority INT4;
    v_status TEXT;
BEGIN

    -- Validate required parameters
    IF workflow_name IS NULL OR workflow_name = '' THEN
        RAISE EXCEPTION 'Workflow name cannot be null or empty';
    END IF;
    IF queue_name IS NULL OR queue_name = '' THEN
        RAISE EXCEPTION 'Queue name cannot be null or empty';
    END IF;
    IF named_args IS NOT NULL AND jsonb_typeof(named_args::jsonb) != 'object' THEN
        RAISE EXCEPTION 'Named args must be a JSON object';
    END IF;
    IF workflow_id IS NOT NULL AND workflow_id = '' THEN
        RAISE EXCEPTION 'Workflow ID cannot be an empty string if provided.';
    END IF;
    IF delay_until_epoch_ms IS NOT NULL AND delay_until_epoch_ms < 0 THEN
        RAISE EXCEPTION 'delay_until_epoch_ms must be >= 0';
    END IF;

    v_workflow_id := COALESCE(workflow_id, gen_random_uuid()::TEXT);
    v_owner_xid := gen_random_uuid()::TEXT;
    v_priority := COALESCE(priority, 0);
    v_serialized_inputs := json_build_object(
        'positionalArgs', positional_args,
        'namedArgs', named_args
    )::TEXT;
    v_now := EXTRACT(epoch FROM now()) * 1000;
    v_status := CASE WHEN delay_until_epoch_ms IS NULL THEN 'ENQUEUED' ELSE 'DELAYED' END;

    INSERT INTO "dbos".workflow_status (
        workflow_uuid, status,
        name, class_name, config_name,
        queue_name, deduplication_id, priority, queue_partition_key,
        application_version,
        created_at, updated_at, recovery_attempts,
        workflow_timeout_ms, workflow_deadline_epoch_ms,
        parent_workflow_id, owner_xid, serialization,
        authenticated_user, authenticated_roles,
        delay_until_epoch_ms, application_name
    ) VALUES (
        v_workflow_id, v_status,
        workflow_name, class_name, config_name,
        queue_name, deduplication_id, v_priority, queue_partition_key,
        app_version,
        v_now, v_now, v_recovery_attempts,
        timeout_ms, deadline_epoch_ms,
        NULL, v_owner_xid, 'portable_json',
        authenticated_user, authenticated_roles,
        delay_until_epoch_ms, application_name
    )
    ON CONFLICT (workflow_uuid)
    DO UPDATE SET
        updated_at = EXCLUDED.updated_at;

    INSERT INTO "dbos".workflow_input (
        workflow_uuid, inputs, retention_timestamp
    ) VALUES (
        v_workflow_id, v_serialized_inputs, v_now
    )
    ON CONFLICT (workflow_uuid) DO NOTHING;

    RETURN v_workflow_id;

EXCEPTION
    WHEN unique_violation THEN
        RAISE EXCEPTION 'DBOS queue duplicated'
            USING DETAIL = format('Workflow %s with queue %s and deduplication ID %s already exists', v_workflow_id, queue_name, deduplication_id),
                ERRCODE = 'unique_violation';
END;
$$;

CREATE FUNCTION dbos.notifications_function() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    DECLARE
        payload text := NEW.destination_uuid || '::' || NEW.topic;
    BEGIN
        PERFORM pg_notify('dbos_notifications_channel', payload);
        RETURN NEW;
    END;
    $$;

CREATE FUNCTION dbos.send_message(destination_id text, message json, topic text DEFAULT NULL::text, message_id text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
        DECLARE
            v_topic TEXT := COALESCE(topic, '__null__topic__');
            v_message_id TEXT := COALESCE(message_id, gen_random_uuid()::TEXT);
        BEGIN
            INSERT INTO "dbos".notifications (
                destination_uuid, topic, message, message_uuid, serialization
            ) VALUES (
                destination_id, v_topic, message, v_message_id, 'portable_json'
            )
            ON CONFLICT (message_uuid) DO NOTHING;
        EXCEPTION
            WHEN foreign_key_violation THEN
                RAISE EXCEPTION 'DBOS non-existent workflow'
                   USING DETAIL = format('Destination workflow %s does not exist', destination_id),
                        ERRCODE = 'foreign_key_violation';
        END;
        $$;

CREATE FUNCTION lockkeeper.audit_append(row_id bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  this lockkeeper.audit;
  head record;
begin
  perform pg_advisory_xact_lock(7341, 3);
  select * into this from lockkeeper.audit where id = row_id;
  if not found or this.hash is not null then return; end if;
  select seq, hash into head from lockkeeper.audit where seq is not null order by seq desc limit 1;
  this.seq := coalesce(head.seq, 0) + 1;
  this.prev := coalesce(head.hash, repeat('0', 64));
  this.hash := encode(sha256(convert_to(this.prev || E'\n' || lockkeeper.audit_line(this), 'UTF8')), 'hex');
  update lockkeeper.audit set seq = this.seq, prev = this.prev, hash = this.hash where id = row_id;
end $$;

CREATE FUNCTION lockkeeper.audit_chain() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ begin perform lockkeeper.audit_append(new.id); return null; end $$;

CREATE FUNCTION lockkeeper.audit_field(value text) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$ select case when value is null then '-' else octet_length(convert_to(value, 'UTF8')) || ':' || value end $$;

CREATE FUNCTION lockkeeper.audit_guard() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  -- the one change there is: a new row gets its place in the chain
  if tg_op = 'UPDATE' and old.hash is null and new.hash is not null
    and (old.id, old.at, old.entry, old.actor, old.human, old.act, old.target, old.request_id, old.result, old.digest, old.data)
      is not distinct from
      (new.id, new.at, new.entry, new.actor, new.human, new.act, new.target, new.request_id, new.result, new.digest, new.data)
    then return new;
  end if;
  raise exception 'the audit log is append-only: % is refused', lower(tg_op) using errcode = 'insufficient_privilege';
end $$;

CREATE TABLE lockkeeper.audit (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    actor text NOT NULL,
    act text NOT NULL,
    target text,
    request_id bigint,
    result text NOT NULL,
    data jsonb DEFAULT '{}'::jsonb NOT NULL,
    entry text DEFAULT 'bot'::text NOT NULL,
    human text,
    digest text,
    seq bigint,
    prev text,
    hash text
);

CREATE FUNCTION lockkeeper.audit_line(r lockkeeper.audit) RETURNS text
    LANGUAGE sql STABLE
    AS $$ select concat_ws('|',
  lockkeeper.audit_field(r.seq::text), lockkeeper.audit_field(r.id::text),
  lockkeeper.audit_field(to_char(r.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')),
  lockkeeper.audit_field(r.entry), lockkeeper.audit_field(r.actor), lockkeeper.audit_field(r.human), lockkeeper.audit_field(r.act),
  lockkeeper.audit_field(r.target), lockkeeper.audit_field(r.request_id::text), lockkeeper.audit_field(r.result),
  lockkeeper.audit_field(r.digest), lockkeeper.audit_field(r.data::text)) $$;

CREATE FUNCTION lockkeeper.audit_new() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ begin new.seq := null; new.prev := null; new.hash := null; return new; end $$;

CREATE FUNCTION lockkeeper.now() RETURNS timestamp with time zone
    LANGUAGE sql
    AS $$ select clock_timestamp() + (select clock_offset from lockkeeper.store) $$;

CREATE TABLE dbos.application_versions (
    version_id text NOT NULL,
    version_name text NOT NULL,
    version_timestamp bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL,
    created_at bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL,
    application_name text
);

CREATE TABLE dbos.dbos_migrations (
    version bigint NOT NULL
);

CREATE TABLE dbos.event_dispatch_kv (
    service_name text NOT NULL,
    workflow_fn_name text NOT NULL,
    key text NOT NULL,
    value text,
    update_seq numeric(38,0),
    update_time numeric(38,15)
);

CREATE TABLE dbos.notifications (
    message_uuid text DEFAULT gen_random_uuid() NOT NULL,
    destination_uuid text NOT NULL,
    topic text,
    message text NOT NULL,
    created_at_epoch_ms bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL,
    serialization text,
    consumed boolean DEFAULT false NOT NULL,
    consumed_by_function_id integer
);

CREATE TABLE dbos.operation_outputs (
    workflow_uuid text NOT NULL,
    function_id integer NOT NULL,
    function_name text DEFAULT ''::text NOT NULL,
    output text,
    error text,
    child_workflow_id text,
    started_at_epoch_ms bigint,
    completed_at_epoch_ms bigint,
    serialization text,
    application_name text,
    retention_timestamp bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL
);

CREATE TABLE dbos.queues (
    queue_id text DEFAULT (gen_random_uuid())::text NOT NULL,
    name text NOT NULL,
    concurrency integer,
    worker_concurrency integer,
    rate_limit_max integer,
    rate_limit_period_sec double precision,
    priority_enabled boolean DEFAULT false NOT NULL,
    partition_queue boolean DEFAULT false NOT NULL,
    polling_interval_sec double precision DEFAULT 1.0 NOT NULL,
    created_at bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL,
    updated_at bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL,
    application_name text,
    partition_concurrency integer,
    partition_worker_concurrency integer,
    partition_rate_limit_max integer,
    partition_rate_limit_period_sec double precision
);

CREATE TABLE dbos.streams (
    workflow_uuid text NOT NULL,
    key text NOT NULL,
    value text NOT NULL,
    "offset" integer NOT NULL,
    function_id integer DEFAULT 0 NOT NULL,
    serialization text
);

CREATE TABLE dbos.workflow_events (
    workflow_uuid text NOT NULL,
    key text NOT NULL,
    value text NOT NULL,
    serialization text
);

CREATE TABLE dbos.workflow_events_history (
    workflow_uuid text NOT NULL,
    function_id integer NOT NULL,
    key text NOT NULL,
    value text NOT NULL,
    serialization text
);

CREATE TABLE dbos.workflow_input (
    workflow_uuid text NOT NULL,
    inputs text,
    retention_timestamp bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL
);

CREATE TABLE dbos.workflow_output (
    workflow_uuid text NOT NULL,
    output text,
    error text,
    retention_timestamp bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL
);

CREATE TABLE dbos.workflow_schedules (
    schedule_id text NOT NULL,
    schedule_name text NOT NULL,
    workflow_name text NOT NULL,
    workflow_class_name text,
    schedule text NOT NULL,
    status text DEFAULT 'ACTIVE'::text NOT NULL,
    context text NOT NULL,
    last_fired_at text,
    automatic_backfill boolean DEFAULT false NOT NULL,
    cron_timezone text,
    queue_name text,
    application_name text
);

CREATE TABLE dbos.workflow_status (
    workflow_uuid text NOT NULL,
    status text,
    name text,
    authenticated_user text,
    assumed_role text,
    authenticated_roles text,
    request text,
    output text,
    error text,
    executor_id text,
    created_at bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL,
    updated_at bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL,
    application_version text,
    application_id text,
    class_name character varying(255) DEFAULT NULL::character varying,
    config_name character varying(255) DEFAULT NULL::character varying,
    recovery_attempts bigint DEFAULT 0,
    queue_name text,
    workflow_timeout_ms bigint,
    workflow_deadline_epoch_ms bigint,
    inputs text,
    started_at_epoch_ms bigint,
    deduplication_id text,
    priority integer DEFAULT 0 NOT NULL,
    queue_partition_key text,
    forked_from text,
    owner_xid text,
    parent_workflow_id text,
    serialization text,
    delay_until_epoch_ms bigint,
    was_forked_from boolean DEFAULT false NOT NULL,
    rate_limited boolean DEFAULT false NOT NULL,
    completed_at bigint,
    attributes jsonb,
    schedule_name text,
    debounce_deadline_epoch_ms bigint,
    is_debounced boolean DEFAULT false NOT NULL,
    application_name text,
    creator_xid text
);

ALTER TABLE lockkeeper.audit ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME lockkeeper.audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE lockkeeper.backup (
    name text NOT NULL,
    request_id bigint,
    target text NOT NULL,
    path text NOT NULL,
    state text NOT NULL,
    bytes bigint,
    raw_bytes bigint,
    seconds double precision,
    manifest jsonb,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    verified_at timestamp with time zone,
    CONSTRAINT backup_state_check CHECK ((state = ANY (ARRAY['writing'::text, 'written'::text, 'verified'::text, 'failed'::text, 'pruned'::text])))
);

CREATE TABLE lockkeeper.break_glass (
    request_id bigint NOT NULL,
    reason text NOT NULL,
    asked_by text NOT NULL,
    asked_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    digest text,
    broken_by text,
    broken_at timestamp with time zone,
    involved text[] NOT NULL,
    remind_ms bigint,
    remind_at timestamp with time zone,
    reviewed_by text,
    reviewed_by_human text,
    reviewed_at timestamp with time zone,
    note text,
    review text[] DEFAULT '{}'::text[] NOT NULL,
    CONSTRAINT break_glass_check CHECK ((((broken_at IS NULL) = (broken_by IS NULL)) AND ((broken_at IS NULL) = (digest IS NULL)) AND ((broken_at IS NULL) = (remind_at IS NULL)))),
    CONSTRAINT break_glass_check1 CHECK ((((reviewed_at IS NULL) = (reviewed_by IS NULL)) AND ((reviewed_at IS NULL) = (reviewed_by_human IS NULL)))),
    CONSTRAINT break_glass_check2 CHECK (((reviewed_at IS NULL) OR ((broken_at IS NOT NULL) AND (reviewed_by_human <> ALL (involved))))),
    CONSTRAINT break_glass_reason_check CHECK ((btrim(reason) <> ''::text))
);

CREATE TABLE lockkeeper.bulletin (
    id bigint NOT NULL,
    token text NOT NULL,
    channel text NOT NULL,
    kind text NOT NULL,
    data jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT lockkeeper.now() NOT NULL,
    revision bigint DEFAULT 1 NOT NULL,
    drawn_revision bigint DEFAULT 0 NOT NULL,
    draw_after timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    draw_lease timestamp with time zone,
    draw_owner text
);

ALTER TABLE lockkeeper.bulletin ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME lockkeeper.bulletin_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE lockkeeper.checklist_item (
    id bigint NOT NULL,
    maintenance_id bigint NOT NULL,
    phase text NOT NULL,
    ordinal integer NOT NULL,
    text text NOT NULL,
    owner text,
    knows text,
    done_by text,
    done_at timestamp with time zone,
    CONSTRAINT checklist_item_knows_check CHECK ((knows = ANY (ARRAY['backup'::text, 'rehearsal'::text, 'health'::text]))),
    CONSTRAINT checklist_item_phase_check CHECK ((phase = ANY (ARRAY['T-48h'::text, 'T-1h'::text, 'during'::text, 'T+2h'::text])))
);

ALTER TABLE lockkeeper.checklist_item ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME lockkeeper.checklist_item_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE lockkeeper.delivery (
    id bigint NOT NULL,
    key text NOT NULL,
    kind text NOT NULL,
    destination text NOT NULL,
    payload jsonb NOT NULL,
    state text DEFAULT 'pending'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_try_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    lease timestamp with time zone,
    last_error text,
    created_at timestamp with time zone DEFAULT lockkeeper.now() NOT NULL,
    sent_at timestamp with time zone,
    with_id bigint,
    CONSTRAINT delivery_kind_check CHECK ((kind = ANY (ARRAY['mail'::text, 'webhook'::text, 'page'::text]))),
    CONSTRAINT delivery_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'sent'::text, 'given_up'::text, 'withdrawn'::text])))
);

ALTER TABLE lockkeeper.delivery ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME lockkeeper.delivery_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE lockkeeper.event (
    id bigint NOT NULL,
    request_id bigint NOT NULL,
    kind text NOT NULL,
    data jsonb DEFAULT '{}'::jsonb NOT NULL,
    at timestamp with time zone DEFAULT lockkeeper.now() NOT NULL
);

ALTER TABLE lockkeeper.event ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME lockkeeper.event_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE lockkeeper.evidence_key (
    key_id text NOT NULL,
    public_key text NOT NULL,
    registered_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE TABLE lockkeeper."freeze" (
    id bigint NOT NULL,
    kind text NOT NULL,
    targets text[],
    reason text NOT NULL,
    set_by text NOT NULL,
    set_by_human text NOT NULL,
    from_at timestamp with time zone DEFAULT lockkeeper.now() NOT NULL,
    until_at timestamp with time zone,
    lifted_at timestamp with time zone,
    lifted_by text,
    told_at timestamp with time zone,
    ended_told_at timestamp with time zone,
    CONSTRAINT freeze_check CHECK (((until_at IS NULL) OR (until_at > from_at))),
    CONSTRAINT freeze_kind_check CHECK ((kind = ANY (ARRAY['freeze'::text, 'lock'::text])))
);

ALTER TABLE lockkeeper."freeze" ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME lockkeeper.freeze_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE lockkeeper.home (
    account text NOT NULL,
    hash text,
    opened_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE TABLE lockkeeper.home_drawn (
    id boolean DEFAULT true NOT NULL,
    mark text,
    next_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    lease timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    CONSTRAINT home_drawn_id_check CHECK (id)
);

CREATE TABLE lockkeeper.maintenance (
    id bigint NOT NULL,
    token text NOT NULL,
    name text,
    targets text[] NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    timezone text NOT NULL,
    reason text NOT NULL,
    work text,
    owner text NOT NULL,
    owner_human text NOT NULL,
    channels text[] NOT NULL,
    state text DEFAULT 'scheduled'::text NOT NULL,
    standby text,
    standby_confirmed_at timestamp with time zone,
    opened_at timestamp with time zone,
    closed_at timestamp with time zone,
    outcome jsonb,
    occurrence text,
    plan_no integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT lockkeeper.now() NOT NULL,
    revision bigint DEFAULT 1 NOT NULL,
    drawn_revision bigint DEFAULT 0 NOT NULL,
    draw_after timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    draw_lease timestamp with time zone,
    draw_owner text,
    CONSTRAINT maintenance_check CHECK ((ends_at > starts_at)),
    CONSTRAINT maintenance_state_check CHECK ((state = ANY (ARRAY['scheduled'::text, 'open'::text, 'completed'::text, 'cancelled'::text]))),
    CONSTRAINT maintenance_targets_check CHECK ((cardinality(targets) > 0))
);

CREATE TABLE lockkeeper.maintenance_event (
    id bigint NOT NULL,
    maintenance_id bigint NOT NULL,
    kind text NOT NULL,
    data jsonb DEFAULT '{}'::jsonb NOT NULL,
    at timestamp with time zone DEFAULT lockkeeper.now() NOT NULL
);

ALTER TABLE lockkeeper.maintenance_event ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME lockkeeper.maintenance_event_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE lockkeeper.maintenance ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME lockkeeper.maintenance_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE lockkeeper.message (
    id bigint NOT NULL,
    key text NOT NULL,
    request_id bigint,
    channel text NOT NULL,
    intent text NOT NULL,
    ts text,
    hash text,
    state text DEFAULT 'intended'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_try_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    last_error text,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    sent_at timestamp with time zone,
    maintenance_id bigint,
    bulletin_id bigint,
    CONSTRAINT message_state_check CHECK ((state = ANY (ARRAY['intended'::text, 'sent'::text, 'unsure'::text, 'given_up'::text])))
);

ALTER TABLE lockkeeper.message ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME lockkeeper.message_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE lockkeeper.notice (
    id bigint NOT NULL,
    maintenance_id bigint NOT NULL,
    plan_no integer NOT NULL,
    stage text NOT NULL,
    due_at timestamp with time zone NOT NULL,
    useful_until timestamp with time zone NOT NULL,
    state text DEFAULT 'pending'::text NOT NULL,
    decided_at timestamp with time zone,
    CONSTRAINT notice_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'sent'::text, 'missed'::text, 'withdrawn'::text])))
);

ALTER TABLE lockkeeper.notice ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME lockkeeper.notice_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE lockkeeper.occurrence_refused (
    occurrence text NOT NULL,
    at timestamp with time zone DEFAULT lockkeeper.now() NOT NULL
);

CREATE TABLE lockkeeper.offer (
    token text NOT NULL,
    account text NOT NULL,
    human text NOT NULL,
    target text NOT NULL,
    ask jsonb NOT NULL,
    asked_in text,
    not_before timestamp with time zone NOT NULL,
    made_at timestamp with time zone DEFAULT lockkeeper.now() NOT NULL,
    request_id bigint
);

CREATE UNLOGGED TABLE lockkeeper.pace (
    bucket text NOT NULL,
    used_until timestamp with time zone NOT NULL,
    limited tstzrange DEFAULT 'empty'::tstzrange NOT NULL
);

CREATE TABLE lockkeeper.page (
    id bigint NOT NULL,
    token text NOT NULL,
    request_id bigint,
    reason text NOT NULL,
    text text NOT NULL,
    count integer DEFAULT 0 NOT NULL,
    next_at timestamp with time zone DEFAULT lockkeeper.now() NOT NULL,
    acknowledged_by text,
    acknowledged_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT lockkeeper.now() NOT NULL,
    closed_at timestamp with time zone,
    CONSTRAINT page_reason_check CHECK ((reason = ANY (ARRAY['needs_human'::text, 'failed'::text, 'health_lost'::text])))
);

ALTER TABLE lockkeeper.page ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME lockkeeper.page_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE lockkeeper.request (
    id bigint NOT NULL,
    token text NOT NULL,
    kind text DEFAULT 'deploy'::text NOT NULL,
    target text NOT NULL,
    identity_key text,
    requester text NOT NULL,
    requester_human text NOT NULL,
    asked_in text,
    channel text NOT NULL,
    ask jsonb NOT NULL,
    state text NOT NULL,
    plan jsonb,
    digest text,
    evidence jsonb,
    policy jsonb,
    outcome jsonb,
    cancel_requested_at timestamp with time zone,
    cancel_requested_by text,
    created_at timestamp with time zone DEFAULT lockkeeper.now() NOT NULL,
    expires_at timestamp with time zone,
    granted_at timestamp with time zone,
    grant_expires_at timestamp with time zone,
    started_at timestamp with time zone,
    ended_at timestamp with time zone,
    revision bigint DEFAULT 1 NOT NULL,
    drawn_revision bigint DEFAULT 0 NOT NULL,
    draw_after timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    draw_lease timestamp with time zone,
    draw_owner text,
    not_before timestamp with time zone,
    not_after timestamp with time zone,
    maintenance_id bigint,
    check_at timestamp with time zone,
    override_reason text,
    escalated_at timestamp with time zone,
    wake_at timestamp with time zone,
    closes_at timestamp with time zone,
    overrun_told_at timestamp with time zone,
    follows_start boolean DEFAULT false NOT NULL,
    ending text,
    CONSTRAINT request_ending_check CHECK ((ending = ANY (ARRAY['failed'::text, 'cancelled'::text, 'needs_human'::text]))),
    CONSTRAINT request_state_check CHECK ((state = ANY (ARRAY['planning'::text, 'waiting'::text, 'granted'::text, 'running'::text, 'needs_human'::text, 'succeeded'::text, 'failed'::text, 'cancelled'::text, 'rejected'::text, 'expired'::text, 'refused'::text])))
);

ALTER TABLE lockkeeper.request ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME lockkeeper.request_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE lockkeeper.rota (
    name text NOT NULL,
    plan text NOT NULL,
    next_at timestamp with time zone NOT NULL,
    lease timestamp with time zone
);

CREATE TABLE lockkeeper.schema_version (
    id integer NOT NULL,
    name text NOT NULL,
    sha256 text NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE TABLE lockkeeper.seen (
    key text NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE TABLE lockkeeper.step (
    request_id bigint NOT NULL,
    ordinal integer NOT NULL,
    name text NOT NULL,
    title text NOT NULL,
    state text DEFAULT 'pending'::text NOT NULL,
    attempt integer DEFAULT 0 NOT NULL,
    details text,
    output text,
    data jsonb,
    started_at timestamp with time zone,
    ended_at timestamp with time zone,
    CONSTRAINT step_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'running'::text, 'done'::text, 'skipped'::text, 'failed'::text, 'cancelled'::text, 'unknown'::text])))
);

CREATE TABLE lockkeeper.store (
    singleton boolean DEFAULT true NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    took_over jsonb DEFAULT '{}'::jsonb NOT NULL,
    clock_offset interval DEFAULT '00:00:00'::interval NOT NULL,
    CONSTRAINT store_singleton_check CHECK (singleton)
);

CREATE TABLE lockkeeper.vote (
    id bigint NOT NULL,
    request_id bigint NOT NULL,
    digest text NOT NULL,
    actor text NOT NULL,
    human text NOT NULL,
    decision text NOT NULL,
    reason text,
    at timestamp with time zone DEFAULT lockkeeper.now() NOT NULL,
    CONSTRAINT vote_decision_check CHECK ((decision = ANY (ARRAY['approve'::text, 'reject'::text, 'break_glass'::text])))
);

ALTER TABLE lockkeeper.vote ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME lockkeeper.vote_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

INSERT INTO dbos.application_versions VALUES ('bf41af9a-4cb9-47f8-a1c1-8c36df0adb88', 'PATCHING_ENABLED', 1795950926989, 1795950926989, 'lockkeeper');

INSERT INTO dbos.dbos_migrations VALUES (123);

INSERT INTO dbos.notifications VALUES ('request-2:vote:2:3:approve', 'request-2', 'request', '{"kind":"decided"}', 1795950937591, 'portable_json', true, 2);
INSERT INTO dbos.notifications VALUES ('request-3:vote:3:3:approve', 'request-3', 'request', '{"kind":"decided"}', 1795950945102, 'portable_json', true, 2);

INSERT INTO dbos.operation_outputs VALUES ('request-1', 0, 'plan', '{"json":"waiting","__dbos_serializer":"superjson"}', NULL, NULL, 1795950928506, 1795950931710, 'js_superjson', 'lockkeeper', 1795950931721);
INSERT INTO dbos.operation_outputs VALUES ('request-1', 1, 'look 1.1', '{"json":"waiting","__dbos_serializer":"superjson"}', NULL, NULL, 1795950931747, 1795950931793, 'js_superjson', 'lockkeeper', 1795950931797);
INSERT INTO dbos.operation_outputs VALUES ('request-1', 3, 'DBOS.sleep', '1795954531852', NULL, NULL, 1795950931852, 1795950931852, 'portable_json', 'lockkeeper', 1795950931860);
INSERT INTO dbos.operation_outputs VALUES ('request-2', 0, 'plan', '{"json":"waiting","__dbos_serializer":"superjson"}', NULL, NULL, 1795950934073, 1795950936361, 'js_superjson', 'lockkeeper', 1795950936365);
INSERT INTO dbos.operation_outputs VALUES ('request-2', 1, 'look 1.1', '{"json":"waiting","__dbos_serializer":"superjson"}', NULL, NULL, 1795950936404, 1795950936451, 'js_superjson', 'lockkeeper', 1795950936452);
INSERT INTO dbos.operation_outputs VALUES ('request-2', 3, 'DBOS.sleep', '1795954536529', NULL, NULL, 1795950936529, 1795950936529, 'portable_json', 'lockkeeper', 1795950936562);
INSERT INTO dbos.operation_outputs VALUES ('request-2', 2, 'DBOS.recv', '{"kind":"decided"}', NULL, NULL, 1795950936476, 1795950938437, 'portable_json', 'lockkeeper', 1795950938346);
INSERT INTO dbos.operation_outputs VALUES ('request-2', 4, 'look 1.2', '{"json":"queued","__dbos_serializer":"superjson"}', NULL, NULL, 1795950938506, 1795950938788, 'js_superjson', 'lockkeeper', 1795950938823);
INSERT INTO dbos.operation_outputs VALUES ('request-2', 6, 'DBOS.sleep', '1795954539257', NULL, NULL, 1795950939257, 1795950939257, 'portable_json', 'lockkeeper', 1795950939272);
INSERT INTO dbos.operation_outputs VALUES ('request-3', 0, 'plan', '{"json":"waiting","__dbos_serializer":"superjson"}', NULL, NULL, 1795950939677, 1795950943333, 'js_superjson', 'lockkeeper', 1795950943337);
INSERT INTO dbos.operation_outputs VALUES ('request-3', 1, 'look 1.1', '{"json":"waiting","__dbos_serializer":"superjson"}', NULL, NULL, 1795950943367, 1795950943444, 'js_superjson', 'lockkeeper', 1795950943452);
INSERT INTO dbos.operation_outputs VALUES ('request-3', 3, 'DBOS.sleep', '1795954543492', NULL, NULL, 1795950943492, 1795950943492, 'portable_json', 'lockkeeper', 1795950943509);
INSERT INTO dbos.operation_outputs VALUES ('request-3', 2, 'DBOS.recv', '{"kind":"decided"}', NULL, NULL, 1795950943481, 1795950945497, 'portable_json', 'lockkeeper', 1795950945448);
INSERT INTO dbos.operation_outputs VALUES ('request-3', 4, 'look 1.2', '{"json":"granted","__dbos_serializer":"superjson"}', NULL, NULL, 1795950945521, 1795950945560, 'js_superjson', 'lockkeeper', 1795950945566);
INSERT INTO dbos.operation_outputs VALUES ('request-3', 5, 'check before the run 1', '{"json":"go","__dbos_serializer":"superjson"}', NULL, NULL, 1795950945609, 1795950947665, 'js_superjson', 'lockkeeper', 1795950947666);
INSERT INTO dbos.operation_outputs VALUES ('request-3', 6, 'begin', '{"json":["preflight","install","backup","verify-backup","migrate","verify-schema","deploy-1"],"__dbos_serializer":"superjson"}', NULL, NULL, 1795950947686, 1795950947863, 'js_superjson', 'lockkeeper', 1795950947864);
INSERT INTO dbos.operation_outputs VALUES ('request-3', 7, 'preflight', '{"json":"next","__dbos_serializer":"superjson"}', NULL, NULL, 1795950947876, 1795950951757, 'js_superjson', 'lockkeeper', 1795950951758);

INSERT INTO dbos.queues VALUES ('5a943f8b-d801-4ef9-aed6-925a887d09d8', 'requests', NULL, NULL, NULL, NULL, true, false, 2, 1795950927101, 1795950927098, 'lockkeeper', NULL, NULL, NULL, NULL);

INSERT INTO dbos.workflow_input VALUES ('request-1', '{"json":[1],"__dbos_serializer":"superjson"}', 1795950928388);
INSERT INTO dbos.workflow_input VALUES ('request-2', '{"json":[2],"__dbos_serializer":"superjson"}', 1795950933853);
INSERT INTO dbos.workflow_input VALUES ('request-3', '{"json":[3],"__dbos_serializer":"superjson"}', 1795950939473);

INSERT INTO dbos.workflow_status VALUES ('request-1', 'PENDING', 'request', '', '', '[]', NULL, NULL, NULL, 'vm-15570-5f64d968', 1795950928388, 1795950928454, 'PATCHING_ENABLED', '', NULL, NULL, 1, 'requests', NULL, NULL, NULL, 1795950928454, NULL, 0, NULL, NULL, 'b52b7060-23e4-4c87-81f0-614cff6fa979', NULL, 'js_superjson', NULL, false, false, NULL, NULL, NULL, NULL, false, 'lockkeeper', 'ea213e68-c533-4dae-9808-e7c619c37431');
INSERT INTO dbos.workflow_status VALUES ('request-2', 'PENDING', 'request', '', '', '[]', NULL, NULL, NULL, 'vm-15570-5f64d968', 1795950933853, 1795950933990, 'PATCHING_ENABLED', '', NULL, NULL, 1, 'requests', NULL, NULL, NULL, 1795950933990, NULL, 0, NULL, NULL, 'dfd6ed01-499d-43fe-bbfe-46ad38803679', NULL, 'js_superjson', NULL, false, false, NULL, NULL, NULL, NULL, false, 'lockkeeper', '876e122a-abeb-4e7e-8807-7fcc9ba66960');
INSERT INTO dbos.workflow_status VALUES ('request-3', 'PENDING', 'request', '', '', '[]', NULL, NULL, NULL, 'vm-15570-5f64d968', 1795950939473, 1795950939557, 'PATCHING_ENABLED', '', NULL, NULL, 1, 'requests', NULL, NULL, NULL, 1795950939557, NULL, 0, NULL, NULL, '8bc8739c-39df-4c54-bd97-ed73e7545102', NULL, 'js_superjson', NULL, false, false, NULL, NULL, NULL, NULL, false, 'lockkeeper', 'b79175ef-3d14-4884-8f0b-b143d2b08225');

INSERT INTO lockkeeper.audit OVERRIDING SYSTEM VALUE VALUES (1, '2026-11-29 11:15:27.153078+00', 'lockkeeper', 'start', NULL, NULL, 'allowed', '{"version": "0.1.0", "executor": "vm-15570-5f64d968"}', 'bot', NULL, '13c8d11b657f79878c2652233b70e81b091e9ef057774ff6f0ce17990c6dd6de', 1, '0000000000000000000000000000000000000000000000000000000000000000', '2579b5e6a4e76660a0ba74bf4ee9093a070b80276f7909d33f4e8d40e5d9caec');
INSERT INTO lockkeeper.audit OVERRIDING SYSTEM VALUE VALUES (2, '2026-11-29 11:15:27.160285+00', 'lockkeeper', 'configuration', NULL, NULL, 'first', '{"parts": {"freezes": "4f53cda18c2baa0c", "log.level": "3e3e8e84e722887a", "slack.host": "882704996deded13", "slack.mode": "aa7bd72a0845f216", "slack.port": "5feceb66ffc86f38", "slack.command": "bdb5181db84b8d71", "operation.host": "882704996deded13", "targets.busy.tool": "50af89befb2a63fa", "targets.prod.tool": "50af89befb2a63fa", "targets.busy.label": "d0eba251409d5f9a", "targets.busy.order": "fe90d93314b9f263", "targets.later.tool": "50af89befb2a63fa", "targets.prod.label": "60c7dcb2c81225b8", "targets.prod.order": "fe90d93314b9f263", "targets.busy.backup": "2eb7767e024a8930", "targets.busy.deploy": "24d7ab9826779326", "targets.busy.health": "4f53cda18c2baa0c", "targets.busy.source": "27eb057f4a74509d", "targets.later.label": "03fa3c711c3abd7a", "targets.later.order": "fe90d93314b9f263", "targets.prod.backup": "2eb7767e024a8930", "targets.prod.deploy": "24d7ab9826779326", "targets.prod.health": "4f53cda18c2baa0c", "targets.prod.source": "a80a2889b4ab7262", "targets.busy.channel": "381139d81e25ec6b", "targets.busy.prepare": "4f53cda18c2baa0c", "targets.busy.windows": "8d378fff90b57374", "targets.later.backup": "2eb7767e024a8930", "targets.later.deploy": "24d7ab9826779326", "targets.later.health": "4f53cda18c2baa0c", "targets.later.source": "3d97cddae8c3832e", "targets.prod.channel": "381139d81e25ec6b", "targets.prod.prepare": "4f53cda18c2baa0c", "targets.prod.windows": "8d378fff90b57374", "targets.busy.database": "3ea3f6b72a955689", "targets.busy.requests": "44136fa355b3678a", "targets.busy.timezone": "68105452227ca2d3", "targets.later.channel": "381139d81e25ec6b", "targets.later.prepare": "4f53cda18c2baa0c", "targets.later.windows": "250acf87c2877efd", "targets.prod.database": "a1501446ea876358", "targets.prod.requests": "44136fa355b3678a", "targets.prod.timezone": "68105452227ca2d3", "targets.busy.approvals": "401d77dfafbabad9", "targets.busy.onFailure": "0fc9e981262ade8d", "targets.busy.protected": "b5bea41b6c623f7c", "targets.later.database": "0341c0d7f6c8a464", "targets.later.requests": "44136fa355b3678a", "targets.later.timezone": "7e903041a1f3abfa", "targets.prod.approvals": "401d77dfafbabad9", "targets.prod.onFailure": "0fc9e981262ade8d", "targets.prod.protected": "b5bea41b6c623f7c", "targets.later.approvals": "401d77dfafbabad9", "targets.later.onFailure": "0fc9e981262ade8d", "targets.later.protected": "b5bea41b6c623f7c"}, "changed": []}', 'bot', NULL, '13c8d11b657f79878c2652233b70e81b091e9ef057774ff6f0ce17990c6dd6de', 2, '2579b5e6a4e76660a0ba74bf4ee9093a070b80276f7909d33f4e8d40e5d9caec', 'fe0825a0cb2f7a1994a5e19d5d87257f4b0979f5e057c6958cdff8a38140306a');
INSERT INTO lockkeeper.audit OVERRIDING SYSTEM VALUE VALUES (3, '2026-11-29 11:15:28.40178+00', 'U0ALICE', 'request', 'prod', 1, 'opened', '{"ask": {"ref": null, "reason": null, "skipApp": false}, "askedIn": "C0DEPLOYS"}', 'slash', 'U0ALICE', NULL, 3, 'fe0825a0cb2f7a1994a5e19d5d87257f4b0979f5e057c6958cdff8a38140306a', 'd3e56d62da64455dd0016da60f48c59193de88ee478b5ac0d17175d215c59679');
INSERT INTO lockkeeper.audit OVERRIDING SYSTEM VALUE VALUES (4, '2026-11-29 11:15:31.678337+00', 'lockkeeper', 'plan', 'prod', 1, 'planned', '{"commit": "82c0b32ead4e90e8b19712cafa7ac70ae1fc8a13"}', 'bot', NULL, '80abd2e48b50f76d118a62e69268c3a6346007efdd1026dde9231cab1efe3a16', 4, 'd3e56d62da64455dd0016da60f48c59193de88ee478b5ac0d17175d215c59679', '226189ca7cf1f9966cd7f599a6e25cc066f40f7704b51d09f370c61913ddbd9d');
INSERT INTO lockkeeper.audit OVERRIDING SYSTEM VALUE VALUES (5, '2026-11-29 11:15:33.895086+00', 'U0ALICE', 'request', 'later', 2, 'opened', '{"ask": {"ref": null, "reason": null, "skipApp": false}, "turn": {"at": 1796108400000}, "askedIn": "C0DEPLOYS"}', 'slash', 'U0ALICE', NULL, 5, '226189ca7cf1f9966cd7f599a6e25cc066f40f7704b51d09f370c61913ddbd9d', '865d157754e26975e3fa34e874f34beee6f584c55663409506b74edd5dc1ed99');
INSERT INTO lockkeeper.audit OVERRIDING SYSTEM VALUE VALUES (6, '2026-11-29 11:15:36.339408+00', 'lockkeeper', 'plan', 'later', 2, 'planned', '{"commit": "82c0b32ead4e90e8b19712cafa7ac70ae1fc8a13"}', 'bot', NULL, 'c491a49d28a5fc29bba04a2247e3a713e36d04cf539c5f21e7a3920e047081f5', 6, '865d157754e26975e3fa34e874f34beee6f584c55663409506b74edd5dc1ed99', 'b18057eb1a20f3bf0ea2b5e0a2e0ee5193c5eb659368453a2b887d56a551cc05');
INSERT INTO lockkeeper.audit OVERRIDING SYSTEM VALUE VALUES (7, '2026-11-29 11:15:37.474921+00', 'U0BOB', 'press approve', 'later', 2, 'opened', '{}', 'button', 'U0BOB', 'c491a49d28a5fc29bba04a2247e3a713e36d04cf539c5f21e7a3920e047081f5', 7, 'b18057eb1a20f3bf0ea2b5e0a2e0ee5193c5eb659368453a2b887d56a551cc05', '6d50008a834bf9601ae72ef8c240846d45b905407506172a1a0879e4b884b08f');
INSERT INTO lockkeeper.audit OVERRIDING SYSTEM VALUE VALUES (8, '2026-11-29 11:15:38.276365+00', 'U0BOB', 'approve', 'later', 2, 'granted', '{}', 'modal', 'U0BOB', 'c491a49d28a5fc29bba04a2247e3a713e36d04cf539c5f21e7a3920e047081f5', 8, '6d50008a834bf9601ae72ef8c240846d45b905407506172a1a0879e4b884b08f', '2b82ed2995a23a56d69848272e8475818355158a1822906c34e3c58dc2c51e46');
INSERT INTO lockkeeper.audit OVERRIDING SYSTEM VALUE VALUES (9, '2026-11-29 11:15:39.498916+00', 'U0ALICE', 'request', 'busy', 3, 'opened', '{"ask": {"ref": null, "reason": null, "skipApp": false}, "askedIn": "C0DEPLOYS"}', 'slash', 'U0ALICE', NULL, 9, '2b82ed2995a23a56d69848272e8475818355158a1822906c34e3c58dc2c51e46', '0146f0ae816dda9972a1f1bf89030a58cb90675859e7da109d5d9e93af55f070');
INSERT INTO lockkeeper.audit OVERRIDING SYSTEM VALUE VALUES (10, '2026-11-29 11:15:43.250002+00', 'lockkeeper', 'plan', 'busy', 3, 'planned', '{"commit": "f557215f2978f7166f45739196fc6d1ff86fdfd7"}', 'bot', NULL, '8e03d3f2bef20cfb9d13323d3da1b28b5106c02abdb3536a7e07c274d2f89f25', 10, '0146f0ae816dda9972a1f1bf89030a58cb90675859e7da109d5d9e93af55f070', 'e666bd945678dfd53eba3d52b3b3d5998e192eb0e2944e14ef620b79efa915e8');
INSERT INTO lockkeeper.audit OVERRIDING SYSTEM VALUE VALUES (11, '2026-11-29 11:15:44.25386+00', 'U0BOB', 'press approve', 'busy', 3, 'opened', '{}', 'button', 'U0BOB', '8e03d3f2bef20cfb9d13323d3da1b28b5106c02abdb3536a7e07c274d2f89f25', 11, 'e666bd945678dfd53eba3d52b3b3d5998e192eb0e2944e14ef620b79efa915e8', 'fcb4237f826fcfac9422dba919585572eb218c11ad556e5b583ec887416b17ef');
INSERT INTO lockkeeper.audit OVERRIDING SYSTEM VALUE VALUES (12, '2026-11-29 11:15:45.365701+00', 'U0BOB', 'approve', 'busy', 3, 'granted', '{}', 'modal', 'U0BOB', '8e03d3f2bef20cfb9d13323d3da1b28b5106c02abdb3536a7e07c274d2f89f25', 12, 'fcb4237f826fcfac9422dba919585572eb218c11ad556e5b583ec887416b17ef', '826416cf15dffbf5d797994362833002cfbb843e872a0aa1fd08c38996974faf');
INSERT INTO lockkeeper.audit OVERRIDING SYSTEM VALUE VALUES (13, '2026-11-29 11:15:47.848709+00', 'lockkeeper', 'run', 'busy', 3, 'started', '{}', 'bot', NULL, '8e03d3f2bef20cfb9d13323d3da1b28b5106c02abdb3536a7e07c274d2f89f25', 13, '826416cf15dffbf5d797994362833002cfbb843e872a0aa1fd08c38996974faf', 'bcb712595650b2e911134b5366462492e4fc1dfd3b392a6bdfa07d20ecb30f3a');
INSERT INTO lockkeeper.audit OVERRIDING SYSTEM VALUE VALUES (14, '2026-11-29 11:15:51.726929+00', 'lockkeeper', 'step', 'busy', 3, 'done', '{"step": "preflight"}', 'bot', NULL, '8e03d3f2bef20cfb9d13323d3da1b28b5106c02abdb3536a7e07c274d2f89f25', 14, 'bcb712595650b2e911134b5366462492e4fc1dfd3b392a6bdfa07d20ecb30f3a', '64df575844092e90371a3f067c62f3cf95f1c4388db08aa0bbf904fd65528bee');

INSERT INTO lockkeeper.event OVERRIDING SYSTEM VALUE VALUES (1, 1, 'requested', '{}', '2026-11-30 17:00:03.529298+00');
INSERT INTO lockkeeper.event OVERRIDING SYSTEM VALUE VALUES (2, 2, 'requested', '{}', '2026-11-30 17:00:08.194929+00');
INSERT INTO lockkeeper.event OVERRIDING SYSTEM VALUE VALUES (3, 2, 'approved', '{"by": "U0BOB", "count": 1, "required": 1}', '2026-11-30 17:00:10.075059+00');
INSERT INTO lockkeeper.event OVERRIDING SYSTEM VALUE VALUES (4, 3, 'requested', '{}', '2026-11-30 17:00:15.097155+00');
INSERT INTO lockkeeper.event OVERRIDING SYSTEM VALUE VALUES (5, 3, 'approved', '{"by": "U0BOB", "count": 1, "required": 1}', '2026-11-30 17:00:17.172807+00');
INSERT INTO lockkeeper.event OVERRIDING SYSTEM VALUE VALUES (6, 3, 'started', '{}', '2026-11-30 17:00:19.708853+00');
INSERT INTO lockkeeper.event OVERRIDING SYSTEM VALUE VALUES (7, 3, 'step_done', '{"step": "preflight", "title": "Preflight", "output": "16 checks; backups are on the database''s own disk"}', '2026-11-30 17:00:23.600996+00');

INSERT INTO lockkeeper.home_drawn VALUES (true, NULL, '-infinity', '-infinity');

INSERT INTO lockkeeper.message OVERRIDING SYSTEM VALUE VALUES (12, 'event:3', 2, 'C0DEPLOYS', 'lk_512AXiQtLKgPGQdU', '1795950941.193000', '5f48e07e3e3dae8c0d6ba9afbb0445bf8e5b5925141fa30344705eb7686c6467', 'sent', 0, '2026-11-29 11:15:41.28285+00', NULL, '2026-11-29 11:15:41.106296+00', '2026-11-29 11:15:41.282851+00', NULL, NULL);
INSERT INTO lockkeeper.message OVERRIDING SYSTEM VALUE VALUES (1, 'card:1', 1, 'C0DEPLOYS', 'lk_AUgdcY95l-KSYCW6', '1795950929.675000', 'd4bc8bb445661727ee2b02781d7f2d850f86f4cdc6227a8dd70bc1baed59729d', 'sent', 0, '2026-11-29 11:15:32.334038+00', NULL, '2026-11-29 11:15:29.337346+00', '2026-11-29 11:15:32.334039+00', NULL, NULL);
INSERT INTO lockkeeper.message OVERRIDING SYSTEM VALUE VALUES (2, 'event:1', 1, 'C0DEPLOYS', 'lk_ShWoXoHO8of1XF5-', '1795950932.393000', 'dc850d4a618638d26df9dfd88f3413631e45900ae7a4a1ae99818674b66a951d', 'sent', 0, '2026-11-29 11:15:32.473342+00', NULL, '2026-11-29 11:15:32.354754+00', '2026-11-29 11:15:32.473343+00', NULL, NULL);
INSERT INTO lockkeeper.message OVERRIDING SYSTEM VALUE VALUES (3, 'sql:1:80abd2e4', 1, 'C0DEPLOYS', 'request-1-80abd2e4.sql', NULL, 'c3fc09d69dd1fa93f097f744a4619ac7009380c146601cbcfc899d80885d906e', 'sent', 0, '2026-11-29 11:15:33.9141+00', NULL, '2026-11-29 11:15:33.840957+00', '2026-11-29 11:15:33.914101+00', NULL, NULL);
INSERT INTO lockkeeper.message OVERRIDING SYSTEM VALUE VALUES (4, 'dm:1:U0BOB', 1, 'D0BOB', 'lk_smrbMXBMykGe_2Me', '1795950933.937000', 'eb5948175fecd21fe540389afa616e5775cb147f7d4bd235cd5da820fee5adcb', 'sent', 0, '2026-11-29 11:15:33.94133+00', NULL, '2026-11-29 11:15:33.931046+00', '2026-11-29 11:15:33.94133+00', NULL, NULL);
INSERT INTO lockkeeper.message OVERRIDING SYSTEM VALUE VALUES (5, 'dm:1:U0CAROL', 1, 'D0CAROL', 'lk_s-5-BtQ6atrvsQ2_', '1795950933.961000', 'eb5948175fecd21fe540389afa616e5775cb147f7d4bd235cd5da820fee5adcb', 'sent', 0, '2026-11-29 11:15:33.96594+00', NULL, '2026-11-29 11:15:33.951499+00', '2026-11-29 11:15:33.965941+00', NULL, NULL);
INSERT INTO lockkeeper.message OVERRIDING SYSTEM VALUE VALUES (7, 'event:2', 2, 'C0DEPLOYS', 'lk_PLRZeiyPCcImPpMe', '1795950936.978000', '1173ed2c953fab375116386987f1594e9490bc12b2fee9bfaafaa4196e11a84a', 'sent', 0, '2026-11-29 11:15:37.013121+00', NULL, '2026-11-29 11:15:36.868976+00', '2026-11-29 11:15:37.013122+00', NULL, NULL);
INSERT INTO lockkeeper.message OVERRIDING SYSTEM VALUE VALUES (8, 'sql:2:c491a49d', 2, 'C0DEPLOYS', 'request-2-c491a49d.sql', NULL, '718b0a4e1b7f9ed59d775fb77ff31b4b1e82726098d4d1092780c1b1b7dbfdde', 'sent', 0, '2026-11-29 11:15:38.564123+00', NULL, '2026-11-29 11:15:38.157024+00', '2026-11-29 11:15:38.564124+00', NULL, NULL);
INSERT INTO lockkeeper.message OVERRIDING SYSTEM VALUE VALUES (9, 'dm:2:U0BOB', 2, 'D0BOB', 'lk_H4r4h3416KuStqDQ', '1795950939.280000', 'eaf73a5ef89d6857219ee64a14a31404babdfa5b9fa1af672c0e8ca9b2c5522b', 'sent', 0, '2026-11-29 11:15:39.337115+00', NULL, '2026-11-29 11:15:38.852221+00', '2026-11-29 11:15:39.337115+00', NULL, NULL);
INSERT INTO lockkeeper.message OVERRIDING SYSTEM VALUE VALUES (10, 'dm:2:U0CAROL', 2, 'D0CAROL', 'lk_NgKKoNWNVjxSkvEb', '1795950939.553000', 'eaf73a5ef89d6857219ee64a14a31404babdfa5b9fa1af672c0e8ca9b2c5522b', 'sent', 0, '2026-11-29 11:15:39.582659+00', NULL, '2026-11-29 11:15:39.45742+00', '2026-11-29 11:15:39.58266+00', NULL, NULL);
INSERT INTO lockkeeper.message OVERRIDING SYSTEM VALUE VALUES (6, 'card:2', 2, 'C0DEPLOYS', 'lk_o7t3YucHk6R0uEce', '1795950934.878000', '284ccb4c5916455833a7ada9dc65499f704502cc7bada318496cc3714c96a33e', 'sent', 0, '2026-11-29 11:15:41.080993+00', NULL, '2026-11-29 11:15:34.765788+00', '2026-11-29 11:15:41.080994+00', NULL, NULL);
INSERT INTO lockkeeper.message OVERRIDING SYSTEM VALUE VALUES (13, 'event:4', 3, 'C0DEPLOYS', 'lk_4rKc409VSLt6IZ_Y', '1795950943.734000', 'deb1adac68abe305dc086a5de86747dccb30ec0b94c5df106663bf87112cabc6', 'sent', 0, '2026-11-29 11:15:43.748976+00', NULL, '2026-11-29 11:15:43.641006+00', '2026-11-29 11:15:43.748977+00', NULL, NULL);
INSERT INTO lockkeeper.message OVERRIDING SYSTEM VALUE VALUES (14, 'sql:3:8e03d3f2', 3, 'C0DEPLOYS', 'request-3-8e03d3f2.sql', NULL, 'cbae5e8a4b1fd0bde34026c5f6b47903fc389a44b429d0bafff1b25a02745ba1', 'sent', 0, '2026-11-29 11:15:45.55447+00', NULL, '2026-11-29 11:15:45.163158+00', '2026-11-29 11:15:45.554471+00', NULL, NULL);
INSERT INTO lockkeeper.message OVERRIDING SYSTEM VALUE VALUES (15, 'dm:3:U0BOB', 3, 'D0BOB', 'lk_gs5a-jYTm-1VPTOg', '1795950945.673000', '7d2f4efc41e86f20135afc70dd921e7c7b96fe77810dae1c18679c0f89466e6f', 'sent', 0, '2026-11-29 11:15:45.726413+00', NULL, '2026-11-29 11:15:45.610239+00', '2026-11-29 11:15:45.726413+00', NULL, NULL);
INSERT INTO lockkeeper.message OVERRIDING SYSTEM VALUE VALUES (16, 'dm:3:U0CAROL', 3, 'D0CAROL', 'lk_b_prRLLmjKTVL4dE', '1795950945.850000', '7d2f4efc41e86f20135afc70dd921e7c7b96fe77810dae1c18679c0f89466e6f', 'sent', 0, '2026-11-29 11:15:45.8629+00', NULL, '2026-11-29 11:15:45.837074+00', '2026-11-29 11:15:45.8629+00', NULL, NULL);
INSERT INTO lockkeeper.message OVERRIDING SYSTEM VALUE VALUES (17, 'event:5', 3, 'C0DEPLOYS', 'lk_6525gCVXP5IOC4mE', '1795950947.425000', '4b9e465449b06525bc70d5384dc25c1f377b39410327023f7d310def8f4fee1e', 'sent', 0, '2026-11-29 11:15:47.569693+00', NULL, '2026-11-29 11:15:46.775289+00', '2026-11-29 11:15:47.569693+00', NULL, NULL);
INSERT INTO lockkeeper.message OVERRIDING SYSTEM VALUE VALUES (11, 'card:3', 3, 'C0DEPLOYS', 'lk_auqAyQxysN0OsJkb', '1795950941.072000', '6b2d9710d094d12b66da6881e2941f15be5aa21b077327c35ee58faf5f978eea', 'sent', 0, '2026-11-29 11:15:48.22213+00', NULL, '2026-11-29 11:15:40.925873+00', '2026-11-29 11:15:48.22213+00', NULL, NULL);
INSERT INTO lockkeeper.message OVERRIDING SYSTEM VALUE VALUES (18, 'event:6', 3, 'C0DEPLOYS', 'lk_JCyjUwP_C7C8FTW0', '1795950948.245000', '54cdc0769af3d6252ca17df482e35290ce4b40416a7772831b5790450f3e1cf2', 'sent', 0, '2026-11-29 11:15:48.267698+00', NULL, '2026-11-29 11:15:48.224176+00', '2026-11-29 11:15:48.267698+00', NULL, NULL);

INSERT INTO lockkeeper.pace VALUES ('post D0BOB', '2026-11-29 11:15:46.632011+00', 'empty');
INSERT INTO lockkeeper.pace VALUES ('post D0CAROL', '2026-11-29 11:15:46.842089+00', 'empty');
INSERT INTO lockkeeper.pace VALUES ('update', '2026-11-29 11:15:49.69597+00', 'empty');
INSERT INTO lockkeeper.pace VALUES ('post C0DEPLOYS', '2026-11-29 11:15:49.226267+00', 'empty');

INSERT INTO lockkeeper.request OVERRIDING SYSTEM VALUE VALUES (1, 'r_0P4py3Sj2JmeUmhp', 'deploy', 'prod', '7713550325772364328/16504', 'U0ALICE', 'U0ALICE', 'C0DEPLOYS', 'C0DEPLOYS', '{"ref": null, "reason": null, "skipApp": false}', 'waiting', '{"ref": "main", "list": [{"name": "20261120084500_index_orders_discount", "bytes": 241, "sha256": "4f0b621d318f6388bbbca2c60d14fe540ef1d5fa982ba5de85f01c471966935f", "concurrently": true, "rollbackSha256": "09829ff25cd256ef840f6bddfe03af0e90e48982f770791bef891d6e934ca678"}], "steps": [{"name": "Switch", "phase": "deploy", "settings": {"env": {}, "run": ["true"], "name": "Switch", "shell": false, "timeout": 600000, "database": false, "repeatable": false}}], "commit": "82c0b32ead4e90e8b19712cafa7ac70ae1fc8a13", "policy": "7cfd3da31308e033c0d49f23eadbc8d415173206efba39b7c712cc9b0cba88da", "target": "prod", "version": 1, "baseline": [{"name": "20260304101500_create_customers", "sha256": "2e0801bf45fc6b8de570822e77df75e1557fb779b547dfaae7d016115dd43d9a"}, {"name": "20260306143000_create_products", "sha256": "f79c9a5ba89e8608e84d74f23ecb3e8f5feee2f7ce08f76fc796dfd04b20b94d"}, {"name": "20260311091200_create_orders", "sha256": "440e658f3e692022d5e79b3cb8263d3fdc46ec207e926ae149296f46e5431a5e"}, {"name": "20260402134500_create_payments", "sha256": "e3cbb5bd92e4ac44076736a56a2d5301c92db3cbad359096084703cdedef040b"}, {"name": "20260519084000_index_orders_customer", "sha256": "a7618e3f8bffb51857183ef1a61cbd912727919ecfcdf24fb6a6c55f325c0579"}, {"name": "20260616110500_add_orders_shipped_at", "sha256": "6cbc726dc16f03be110b81f8c57bb39f415fea949d5792010d593377dc30378b"}, {"name": "20260630080000_add_order_status_returned", "sha256": "b47d52a96c7c5de4d06703ad1ba395080f71146c9da947d23f0fc2ec820ff379"}, {"name": "20260714093000_add_orders_total_cents", "sha256": "b16ba3bce8b5f7e8e16aabdf18949f18767a3e34ebc6b8e0ffc087b32342b0e4"}, {"name": "20260721094500_check_orders_total_cents", "sha256": "fcdfea508070d822bd50247901f15490a69ddb6bed6adbc55459a6d3185f540c"}, {"name": "20260728091000_require_orders_total_cents", "sha256": "8e09cb0174892bc84c24fe060f3a6970cf3824d6aae268c46a7897049ca52086"}, {"name": "20260915101000_index_open_orders", "sha256": "cc674eee24d7b46ceb7591fa7300e68ccfc4745b827b9a1f76194ebdecd346d9"}, {"name": "20261118102000_create_discounts", "sha256": "85724e81717d1609f1007213c09962122402434026762f073927e5aba5f45b2b"}, {"name": "20261119093000_add_orders_discount_id", "sha256": "f0c7ccdb002e2be346bcb107556f6fb81bdd187d07e42ed08cf85c1958532d91"}], "identity": {"host": "127.0.0.1", "port": 40711, "database": "test_610cb665df16", "databaseOid": 16504, "systemIdentifier": "7713550325772364328"}}', '80abd2e48b50f76d118a62e69268c3a6346007efdd1026dde9231cab1efe3a16', '{"notes": [], "author": "Alice Marsh", "subject": "Show the discount in the list of orders", "takenAt": "2026-11-29T11:15:31.519Z", "lastBackup": null, "migrations": [{"name": "20261120084500_index_orders_discount", "rows": null, "class": "additive", "tables": ["orders"], "summary": "builds an index on orders, concurrently", "findings": []}], "databaseBytes": 7994727}', '{"from": ["group:S0DBA"], "members": {"S0DBA": ["U0BOB", "U0CAROL"]}, "required": 1, "expiresMs": 14400000, "grantExpiresMs": 900000}', NULL, NULL, NULL, '2026-11-30 17:00:00.251511+00', '2026-11-30 21:00:03.50577+00', NULL, NULL, NULL, NULL, 3, 3, 'infinity', NULL, 'vm-15570-5f64d968', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL);
INSERT INTO lockkeeper.request OVERRIDING SYSTEM VALUE VALUES (2, 'r_nOxCXv7hAiABQj3F', 'deploy', 'later', '7713550325772364328/16505', 'U0ALICE', 'U0ALICE', 'C0DEPLOYS', 'C0DEPLOYS', '{"ref": null, "reason": null, "skipApp": false}', 'granted', '{"ref": "main", "list": [{"name": "20261120084500_index_orders_discount", "bytes": 241, "sha256": "4f0b621d318f6388bbbca2c60d14fe540ef1d5fa982ba5de85f01c471966935f", "concurrently": true, "rollbackSha256": "09829ff25cd256ef840f6bddfe03af0e90e48982f770791bef891d6e934ca678"}], "steps": [{"name": "Switch", "phase": "deploy", "settings": {"env": {}, "run": ["true"], "name": "Switch", "shell": false, "timeout": 600000, "database": false, "repeatable": false}}], "commit": "82c0b32ead4e90e8b19712cafa7ac70ae1fc8a13", "policy": "4d9cb8afdcafe5d7852d28564bb05719b1890460204b290a85eeeb5e03cef7af", "target": "later", "version": 1, "baseline": [{"name": "20260304101500_create_customers", "sha256": "2e0801bf45fc6b8de570822e77df75e1557fb779b547dfaae7d016115dd43d9a"}, {"name": "20260306143000_create_products", "sha256": "f79c9a5ba89e8608e84d74f23ecb3e8f5feee2f7ce08f76fc796dfd04b20b94d"}, {"name": "20260311091200_create_orders", "sha256": "440e658f3e692022d5e79b3cb8263d3fdc46ec207e926ae149296f46e5431a5e"}, {"name": "20260402134500_create_payments", "sha256": "e3cbb5bd92e4ac44076736a56a2d5301c92db3cbad359096084703cdedef040b"}, {"name": "20260519084000_index_orders_customer", "sha256": "a7618e3f8bffb51857183ef1a61cbd912727919ecfcdf24fb6a6c55f325c0579"}, {"name": "20260616110500_add_orders_shipped_at", "sha256": "6cbc726dc16f03be110b81f8c57bb39f415fea949d5792010d593377dc30378b"}, {"name": "20260630080000_add_order_status_returned", "sha256": "b47d52a96c7c5de4d06703ad1ba395080f71146c9da947d23f0fc2ec820ff379"}, {"name": "20260714093000_add_orders_total_cents", "sha256": "b16ba3bce8b5f7e8e16aabdf18949f18767a3e34ebc6b8e0ffc087b32342b0e4"}, {"name": "20260721094500_check_orders_total_cents", "sha256": "fcdfea508070d822bd50247901f15490a69ddb6bed6adbc55459a6d3185f540c"}, {"name": "20260728091000_require_orders_total_cents", "sha256": "8e09cb0174892bc84c24fe060f3a6970cf3824d6aae268c46a7897049ca52086"}, {"name": "20260915101000_index_open_orders", "sha256": "cc674eee24d7b46ceb7591fa7300e68ccfc4745b827b9a1f76194ebdecd346d9"}, {"name": "20261118102000_create_discounts", "sha256": "85724e81717d1609f1007213c09962122402434026762f073927e5aba5f45b2b"}, {"name": "20261119093000_add_orders_discount_id", "sha256": "f0c7ccdb002e2be346bcb107556f6fb81bdd187d07e42ed08cf85c1958532d91"}], "identity": {"host": "127.0.0.1", "port": 40711, "database": "test_455b00ca197e", "databaseOid": 16505, "systemIdentifier": "7713550325772364328"}}', 'c491a49d28a5fc29bba04a2247e3a713e36d04cf539c5f21e7a3920e047081f5', '{"notes": [], "author": "Alice Marsh", "subject": "Show the discount in the list of orders", "takenAt": "2026-11-29T11:15:36.244Z", "lastBackup": null, "migrations": [{"name": "20261120084500_index_orders_discount", "rows": null, "class": "additive", "tables": ["orders"], "summary": "builds an index on orders, concurrently", "findings": []}], "databaseBytes": 7994727}', '{"from": ["group:S0DBA"], "members": {"S0DBA": ["U0BOB", "U0CAROL"]}, "required": 1, "expiresMs": 57591842, "grantExpiresMs": 900000}', NULL, NULL, NULL, '2026-11-30 17:00:05.754548+00', '2026-12-01 09:00:00+00', '2026-11-30 17:00:10.085584+00', '2026-12-01 09:00:00+00', NULL, NULL, 5, 5, 'infinity', NULL, 'vm-15570-5f64d968', '2026-12-01 07:00:00+00', '2026-12-01 09:00:00+00', NULL, '2026-11-30 23:00:00+00', NULL, NULL, '2026-11-30 23:00:00+00', NULL, NULL, false, NULL);
INSERT INTO lockkeeper.request OVERRIDING SYSTEM VALUE VALUES (3, 'r_uVqzD3zFPJaKJiOz', 'deploy', 'busy', '7713550325772364328/16627', 'U0ALICE', 'U0ALICE', 'C0DEPLOYS', 'C0DEPLOYS', '{"ref": null, "reason": null, "skipApp": false}', 'running', '{"ref": "main", "list": [{"name": "20261121090000_gift", "bytes": 45, "sha256": "af5596a98b958d79d049888dc5acceca15148652845a2ade384a97d4dd554fad", "concurrently": false, "rollbackSha256": null}, {"name": "20261121091000_wrapping", "bytes": 49, "sha256": "48bce5893ce1af3a57ecf3f0a0537787f9fc3060e275b7c8349e6f08081ad7e7", "concurrently": false, "rollbackSha256": null}, {"name": "20261121092000_ribbon", "bytes": 47, "sha256": "34b6c01f19cda8e5e4486d7be5807eaed65a667bee3c95c66a7621e6c1ac522f", "concurrently": false, "rollbackSha256": null}], "steps": [{"name": "Switch", "phase": "deploy", "settings": {"env": {}, "run": ["true"], "name": "Switch", "shell": false, "timeout": 600000, "database": false, "repeatable": false}}], "commit": "f557215f2978f7166f45739196fc6d1ff86fdfd7", "policy": "17324357bdd990e5a3917c06b003daec783304e69119623e78048e917d8c31af", "target": "busy", "version": 1, "baseline": [{"name": "20260304101500_create_customers", "sha256": "2e0801bf45fc6b8de570822e77df75e1557fb779b547dfaae7d016115dd43d9a"}, {"name": "20260306143000_create_products", "sha256": "f79c9a5ba89e8608e84d74f23ecb3e8f5feee2f7ce08f76fc796dfd04b20b94d"}, {"name": "20260311091200_create_orders", "sha256": "440e658f3e692022d5e79b3cb8263d3fdc46ec207e926ae149296f46e5431a5e"}, {"name": "20260402134500_create_payments", "sha256": "e3cbb5bd92e4ac44076736a56a2d5301c92db3cbad359096084703cdedef040b"}, {"name": "20260519084000_index_orders_customer", "sha256": "a7618e3f8bffb51857183ef1a61cbd912727919ecfcdf24fb6a6c55f325c0579"}, {"name": "20260616110500_add_orders_shipped_at", "sha256": "6cbc726dc16f03be110b81f8c57bb39f415fea949d5792010d593377dc30378b"}, {"name": "20260630080000_add_order_status_returned", "sha256": "b47d52a96c7c5de4d06703ad1ba395080f71146c9da947d23f0fc2ec820ff379"}, {"name": "20260714093000_add_orders_total_cents", "sha256": "b16ba3bce8b5f7e8e16aabdf18949f18767a3e34ebc6b8e0ffc087b32342b0e4"}, {"name": "20260721094500_check_orders_total_cents", "sha256": "fcdfea508070d822bd50247901f15490a69ddb6bed6adbc55459a6d3185f540c"}, {"name": "20260728091000_require_orders_total_cents", "sha256": "8e09cb0174892bc84c24fe060f3a6970cf3824d6aae268c46a7897049ca52086"}, {"name": "20260915101000_index_open_orders", "sha256": "cc674eee24d7b46ceb7591fa7300e68ccfc4745b827b9a1f76194ebdecd346d9"}, {"name": "20261118102000_create_discounts", "sha256": "85724e81717d1609f1007213c09962122402434026762f073927e5aba5f45b2b"}, {"name": "20261119093000_add_orders_discount_id", "sha256": "f0c7ccdb002e2be346bcb107556f6fb81bdd187d07e42ed08cf85c1958532d91"}, {"name": "20261120084500_index_orders_discount", "sha256": "4f0b621d318f6388bbbca2c60d14fe540ef1d5fa982ba5de85f01c471966935f"}], "identity": {"host": "127.0.0.1", "port": 40711, "database": "test_7e142fbae04b", "databaseOid": 16627, "systemIdentifier": "7713550325772364328"}}', '8e03d3f2bef20cfb9d13323d3da1b28b5106c02abdb3536a7e07c274d2f89f25', '{"notes": [], "author": "Alice Marsh", "subject": "Columns for gifts", "takenAt": "2026-11-29T11:15:43.116Z", "lastBackup": null, "migrations": [{"name": "20261121090000_gift", "rows": null, "class": "additive", "tables": ["orders"], "summary": "adds orders.gift, nullable", "findings": []}, {"name": "20261121091000_wrapping", "rows": null, "class": "additive", "tables": ["orders"], "summary": "adds orders.wrapping, nullable", "findings": []}, {"name": "20261121092000_ribbon", "rows": null, "class": "additive", "tables": ["orders"], "summary": "adds orders.ribbon, nullable", "findings": []}], "databaseBytes": 8002919}', '{"from": ["group:S0DBA"], "members": {"S0DBA": ["U0BOB", "U0CAROL"]}, "required": 1, "expiresMs": 14400000, "grantExpiresMs": 900000}', NULL, NULL, NULL, '2026-11-30 17:00:11.346139+00', '2026-11-30 21:00:15.058876+00', '2026-11-30 17:00:17.182552+00', '2026-11-30 17:15:17.182706+00', '2026-11-30 17:00:19.640536+00', NULL, 13, 8, '2026-11-29 11:15:51.852048+00', '2026-11-29 11:16:16.753905+00', 'vm-15570-5f64d968', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL);

INSERT INTO lockkeeper.rota VALUES ('recurring', '0 * * * * UTC', '2026-11-30 18:00:00+00', NULL);

INSERT INTO lockkeeper.schema_version VALUES (1, 'requests, votes, steps, events, messages, backups', 'abc19fbcf3e57f92e5faca029f38897d2da852ac13d3bfbb38bfaf47a9416195', '2026-11-29 11:15:24.20241+00');
INSERT INTO lockkeeper.schema_version VALUES (2, 'who draws a request', 'c46f106095d091fc63c6fd9bbd22049736738d962f5bcaa28061c69b97cc705a', '2026-11-29 11:15:24.224627+00');
INSERT INTO lockkeeper.schema_version VALUES (3, 'the audit log is a chain', '514ec966d42e1acc4344a076a2081df3d0c2d12402655c57c691185db58f144a', '2026-11-29 11:15:24.300007+00');
INSERT INTO lockkeeper.schema_version VALUES (4, 'break-glass and its review', 'a7f77d139ee0adc07d029700ac813ee06f91520f083109162a8cfebd3d429855', '2026-11-29 11:15:24.321966+00');
INSERT INTO lockkeeper.schema_version VALUES (5, 'what is not yet in Slack', '87ea6aaa2417eba2ecb985ca0e9988228785dd6e5dd9223134ced6eb49cba08a', '2026-11-29 11:15:24.333924+00');
INSERT INTO lockkeeper.schema_version VALUES (6, 'who reviews a broken glass', 'd4066d956e8fc071bec4010adcff115f193488a8eecd62edd6eb334ce0a3bad6', '2026-11-29 11:15:24.340834+00');
INSERT INTO lockkeeper.schema_version VALUES (7, 'the keys that sign evidence', '2ace5384b5e86a22af29c9ccd99408cf5edaf8b338fa4f0bc378c0b018185f3e', '2026-11-29 11:15:24.35321+00');
INSERT INTO lockkeeper.schema_version VALUES (8, 'what is to be drawn is found without reading all requests', '095333cb769996d31e42b7235144150f713aaf4581991cdf1e28657531d4e808', '2026-11-29 11:15:24.36751+00');
INSERT INTO lockkeeper.schema_version VALUES (11, 'the pace towards Slack is shared', '44d987ec465d5de9e4ae4a378d8c4106707d89b00120dbe6938e566f8de70559', '2026-11-29 11:15:24.394871+00');
INSERT INTO lockkeeper.schema_version VALUES (12, 'maintenance windows, notices, freezes', '93013f477a69d0841ab08c191df1d08ea78340efffe849fe5a450187ae490dfd', '2026-11-29 11:15:24.551138+00');
INSERT INTO lockkeeper.schema_version VALUES (13, 'what repeats', '6ad997822910f314d3ef2568743acb953a90a649c386a54edc9c1442b6f2eb6d', '2026-11-29 11:15:24.563369+00');
INSERT INTO lockkeeper.schema_version VALUES (14, 'a request waits for its turn', 'ba2ae6d1d4f426003f1256c57504ebc035549f95d6783d6d8e7f6ff85cb1feb4', '2026-11-29 11:15:24.582265+00');
INSERT INTO lockkeeper.schema_version VALUES (15, 'mails that go together, what is withdrawn, pages that are over', 'c3724a34e3f9cd73f95f7b950d3489dfeed14dd5d7ab114439793491775fdaeb', '2026-11-29 11:15:24.602063+00');
INSERT INTO lockkeeper.schema_version VALUES (16, 'a run ends when maintenance mode is off again', '95b17a336630409c60f9514bf3ae355d694b3595565a6a9cf51e77ecfe37a810', '2026-11-29 11:15:24.604283+00');
INSERT INTO lockkeeper.schema_version VALUES (20, 'what Home shows', '00a94cf0e4fcbdff771fa7465db0408fab57a5f7f9bc56d0fbf3b1aa479f8172', '2026-11-29 11:15:24.615883+00');

INSERT INTO lockkeeper.seen VALUES ('envelope:aa54d390-41b6-4f8f-aefd-614d243dd222', '2026-11-29 11:15:28.226391+00');
INSERT INTO lockkeeper.seen VALUES ('trigger:1795950928191.738474920.t000000002', '2026-11-29 11:15:28.227045+00');
INSERT INTO lockkeeper.seen VALUES ('envelope:477078b2-3708-4288-b542-6dfb8feec99f', '2026-11-29 11:15:32.353365+00');
INSERT INTO lockkeeper.seen VALUES ('trigger:1795950932319.738474920.t00000000e', '2026-11-29 11:15:32.353668+00');
INSERT INTO lockkeeper.seen VALUES ('envelope:7f630e8a-ba5a-490a-aa77-770ce5f7e55b', '2026-11-29 11:15:36.891642+00');
INSERT INTO lockkeeper.seen VALUES ('trigger:1795950936862.738474920.t00000000w', '2026-11-29 11:15:36.892012+00');
INSERT INTO lockkeeper.seen VALUES ('action:1795950936.861000', '2026-11-29 11:15:36.892021+00');
INSERT INTO lockkeeper.seen VALUES ('envelope:2981bb09-0000-40da-96a7-bf1b7bd6baa3', '2026-11-29 11:15:37.487826+00');
INSERT INTO lockkeeper.seen VALUES ('trigger:1795950937475.738474920.t000000015', '2026-11-29 11:15:37.488238+00');
INSERT INTO lockkeeper.seen VALUES ('envelope:70b24560-d5a9-4cb4-bf09-8c40fbd1a270', '2026-11-29 11:15:38.346291+00');
INSERT INTO lockkeeper.seen VALUES ('trigger:1795950938327.738474920.t000000017', '2026-11-29 11:15:38.34641+00');
INSERT INTO lockkeeper.seen VALUES ('envelope:79c06c71-b93c-46e2-b6b0-bd9cf2113c4f', '2026-11-29 11:15:43.652756+00');
INSERT INTO lockkeeper.seen VALUES ('trigger:1795950943621.738474920.t00000001t', '2026-11-29 11:15:43.652968+00');
INSERT INTO lockkeeper.seen VALUES ('action:1795950943.621000', '2026-11-29 11:15:43.652974+00');
INSERT INTO lockkeeper.seen VALUES ('envelope:783bae12-7d91-44ba-a90e-4d00167c6ccb', '2026-11-29 11:15:44.320371+00');
INSERT INTO lockkeeper.seen VALUES ('trigger:1795950944175.738474920.t000000022', '2026-11-29 11:15:44.323401+00');

INSERT INTO lockkeeper.step VALUES (3, 2, 'backup', 'Back up', 'pending', 0, NULL, NULL, NULL, NULL, NULL);
INSERT INTO lockkeeper.step VALUES (3, 3, 'verify-backup', 'Verify the backup', 'pending', 0, NULL, NULL, NULL, NULL, NULL);
INSERT INTO lockkeeper.step VALUES (3, 4, 'migrate', 'Migrate', 'pending', 0, NULL, NULL, NULL, NULL, NULL);
INSERT INTO lockkeeper.step VALUES (3, 5, 'verify-schema', 'Verify the schema', 'pending', 0, NULL, NULL, NULL, NULL, NULL);
INSERT INTO lockkeeper.step VALUES (3, 6, 'deploy-1', 'Switch', 'pending', 0, NULL, NULL, NULL, NULL, NULL);
INSERT INTO lockkeeper.step VALUES (3, 0, 'preflight', 'Preflight', 'done', 1, NULL, '16 checks; backups are on the database''s own disk', '{"names": ["the database URL", "the clocks", "poolers", "the identity", "the role''s rights", "long transactions", "Prisma''s lock", "the lock timeout", "free connections", "pg_dump", "what the backup reads", "the disk", "the commit", "the checkout", "the backup directory", "the health before"], "checks": 16, "findings": [{"code": "same_disk", "text": "The backup directory `/srv/lockkeeper/backups` is on the same file system as the database, and is lost together with it. Keep backups on another disk.", "brief": "backups are on the database''s own disk", "level": "warn"}]}', '2026-11-30 17:00:19.768838+00', '2026-11-30 17:00:23.560218+00');
INSERT INTO lockkeeper.step VALUES (3, 1, 'install', 'Install', 'running', 1, NULL, NULL, NULL, '2026-11-30 17:00:23.713452+00', NULL);

INSERT INTO lockkeeper.store VALUES (true, '679cfa51-3710-4a01-86b3-5153e7e9f932', '2026-11-29 11:15:24.230956+00', '{}', '1 day 05:44:31.861083');

INSERT INTO lockkeeper.vote OVERRIDING SYSTEM VALUE VALUES (1, 2, 'c491a49d28a5fc29bba04a2247e3a713e36d04cf539c5f21e7a3920e047081f5', 'U0BOB', 'U0BOB', 'approve', NULL, '2026-11-30 17:00:10.052919+00');
INSERT INTO lockkeeper.vote OVERRIDING SYSTEM VALUE VALUES (2, 3, '8e03d3f2bef20cfb9d13323d3da1b28b5106c02abdb3536a7e07c274d2f89f25', 'U0BOB', 'U0BOB', 'approve', NULL, '2026-11-30 17:00:17.13712+00');

SELECT pg_catalog.setval('lockkeeper.audit_id_seq', 14, true);

SELECT pg_catalog.setval('lockkeeper.bulletin_id_seq', 1, false);

SELECT pg_catalog.setval('lockkeeper.checklist_item_id_seq', 1, false);

SELECT pg_catalog.setval('lockkeeper.delivery_id_seq', 1, false);

SELECT pg_catalog.setval('lockkeeper.event_id_seq', 7, true);

SELECT pg_catalog.setval('lockkeeper.freeze_id_seq', 1, false);

SELECT pg_catalog.setval('lockkeeper.maintenance_event_id_seq', 1, false);

SELECT pg_catalog.setval('lockkeeper.maintenance_id_seq', 1, false);

SELECT pg_catalog.setval('lockkeeper.message_id_seq', 18, true);

SELECT pg_catalog.setval('lockkeeper.notice_id_seq', 1, false);

SELECT pg_catalog.setval('lockkeeper.page_id_seq', 1, false);

SELECT pg_catalog.setval('lockkeeper.request_id_seq', 3, true);

SELECT pg_catalog.setval('lockkeeper.vote_id_seq', 2, true);

ALTER TABLE ONLY dbos.application_versions
    ADD CONSTRAINT application_versions_pkey PRIMARY KEY (version_id);

ALTER TABLE ONLY dbos.application_versions
    ADD CONSTRAINT application_versions_version_name_key UNIQUE (version_name);

ALTER TABLE ONLY dbos.dbos_migrations
    ADD CONSTRAINT dbos_migrations_pkey PRIMARY KEY (version);

ALTER TABLE ONLY dbos.event_dispatch_kv
    ADD CONSTRAINT event_dispatch_kv_pkey PRIMARY KEY (service_name, workflow_fn_name, key);

ALTER TABLE ONLY dbos.notifications
    ADD CONSTRAINT notifications_pkey PRIMARY KEY (message_uuid);

ALTER TABLE ONLY dbos.operation_outputs
    ADD CONSTRAINT operation_outputs_pkey PRIMARY KEY (workflow_uuid, function_id);

ALTER TABLE ONLY dbos.queues
    ADD CONSTRAINT queues_name_key UNIQUE (name);

ALTER TABLE ONLY dbos.queues
    ADD CONSTRAINT queues_pkey PRIMARY KEY (queue_id);

ALTER TABLE ONLY dbos.streams
    ADD CONSTRAINT streams_pkey PRIMARY KEY (workflow_uuid, key, "offset");

ALTER TABLE ONLY dbos.workflow_events_history
    ADD CONSTRAINT workflow_events_history_pkey PRIMARY KEY (workflow_uuid, function_id, key);

ALTER TABLE ONLY dbos.workflow_events
    ADD CONSTRAINT workflow_events_pkey PRIMARY KEY (workflow_uuid, key);

ALTER TABLE ONLY dbos.workflow_input
    ADD CONSTRAINT workflow_input_pkey PRIMARY KEY (workflow_uuid);

ALTER TABLE ONLY dbos.workflow_output
    ADD CONSTRAINT workflow_output_pkey PRIMARY KEY (workflow_uuid);

ALTER TABLE ONLY dbos.workflow_schedules
    ADD CONSTRAINT workflow_schedules_pkey PRIMARY KEY (schedule_id);

ALTER TABLE ONLY dbos.workflow_schedules
    ADD CONSTRAINT workflow_schedules_schedule_name_key UNIQUE (schedule_name);

ALTER TABLE ONLY dbos.workflow_status
    ADD CONSTRAINT workflow_status_pkey PRIMARY KEY (workflow_uuid);

ALTER TABLE ONLY lockkeeper.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (id);

ALTER TABLE ONLY lockkeeper.backup
    ADD CONSTRAINT backup_pkey PRIMARY KEY (name);

ALTER TABLE ONLY lockkeeper.break_glass
    ADD CONSTRAINT break_glass_pkey PRIMARY KEY (request_id);

ALTER TABLE ONLY lockkeeper.bulletin
    ADD CONSTRAINT bulletin_pkey PRIMARY KEY (id);

ALTER TABLE ONLY lockkeeper.bulletin
    ADD CONSTRAINT bulletin_token_key UNIQUE (token);

ALTER TABLE ONLY lockkeeper.checklist_item
    ADD CONSTRAINT checklist_item_maintenance_id_phase_ordinal_key UNIQUE (maintenance_id, phase, ordinal);

ALTER TABLE ONLY lockkeeper.checklist_item
    ADD CONSTRAINT checklist_item_pkey PRIMARY KEY (id);

ALTER TABLE ONLY lockkeeper.delivery
    ADD CONSTRAINT delivery_key_key UNIQUE (key);

ALTER TABLE ONLY lockkeeper.delivery
    ADD CONSTRAINT delivery_pkey PRIMARY KEY (id);

ALTER TABLE ONLY lockkeeper.event
    ADD CONSTRAINT event_pkey PRIMARY KEY (id);

ALTER TABLE ONLY lockkeeper.evidence_key
    ADD CONSTRAINT evidence_key_pkey PRIMARY KEY (key_id);

ALTER TABLE ONLY lockkeeper."freeze"
    ADD CONSTRAINT freeze_pkey PRIMARY KEY (id);

ALTER TABLE ONLY lockkeeper.home_drawn
    ADD CONSTRAINT home_drawn_pkey PRIMARY KEY (id);

ALTER TABLE ONLY lockkeeper.home
    ADD CONSTRAINT home_pkey PRIMARY KEY (account);

ALTER TABLE ONLY lockkeeper.maintenance_event
    ADD CONSTRAINT maintenance_event_pkey PRIMARY KEY (id);

ALTER TABLE ONLY lockkeeper.maintenance
    ADD CONSTRAINT maintenance_occurrence_key UNIQUE (occurrence);

ALTER TABLE ONLY lockkeeper.maintenance
    ADD CONSTRAINT maintenance_pkey PRIMARY KEY (id);

ALTER TABLE ONLY lockkeeper.maintenance
    ADD CONSTRAINT maintenance_token_key UNIQUE (token);

ALTER TABLE ONLY lockkeeper.message
    ADD CONSTRAINT message_intent_key UNIQUE (intent);

ALTER TABLE ONLY lockkeeper.message
    ADD CONSTRAINT message_key_key UNIQUE (key);

ALTER TABLE ONLY lockkeeper.message
    ADD CONSTRAINT message_pkey PRIMARY KEY (id);

ALTER TABLE ONLY lockkeeper.notice
    ADD CONSTRAINT notice_maintenance_id_plan_no_stage_key UNIQUE (maintenance_id, plan_no, stage);

ALTER TABLE ONLY lockkeeper.notice
    ADD CONSTRAINT notice_pkey PRIMARY KEY (id);

ALTER TABLE ONLY lockkeeper.occurrence_refused
    ADD CONSTRAINT occurrence_refused_pkey PRIMARY KEY (occurrence);

ALTER TABLE ONLY lockkeeper.offer
    ADD CONSTRAINT offer_pkey PRIMARY KEY (token);

ALTER TABLE ONLY lockkeeper.pace
    ADD CONSTRAINT pace_pkey PRIMARY KEY (bucket);

ALTER TABLE ONLY lockkeeper.page
    ADD CONSTRAINT page_pkey PRIMARY KEY (id);

ALTER TABLE ONLY lockkeeper.page
    ADD CONSTRAINT page_request_id_reason_key UNIQUE (request_id, reason);

ALTER TABLE ONLY lockkeeper.page
    ADD CONSTRAINT page_token_key UNIQUE (token);

ALTER TABLE ONLY lockkeeper.request
    ADD CONSTRAINT request_pkey PRIMARY KEY (id);

ALTER TABLE ONLY lockkeeper.request
    ADD CONSTRAINT request_token_key UNIQUE (token);

ALTER TABLE ONLY lockkeeper.rota
    ADD CONSTRAINT rota_pkey PRIMARY KEY (name);

ALTER TABLE ONLY lockkeeper.schema_version
    ADD CONSTRAINT schema_version_pkey PRIMARY KEY (id);

ALTER TABLE ONLY lockkeeper.seen
    ADD CONSTRAINT seen_pkey PRIMARY KEY (key);

ALTER TABLE ONLY lockkeeper.step
    ADD CONSTRAINT step_pkey PRIMARY KEY (request_id, name);

ALTER TABLE ONLY lockkeeper.store
    ADD CONSTRAINT store_pkey PRIMARY KEY (singleton);

ALTER TABLE ONLY lockkeeper.vote
    ADD CONSTRAINT vote_pkey PRIMARY KEY (id);

ALTER TABLE ONLY lockkeeper.vote
    ADD CONSTRAINT vote_request_id_digest_human_key UNIQUE (request_id, digest, human);

CREATE INDEX idx_operation_outputs_completed_at_function_name_v2 ON dbos.operation_outputs USING btree (completed_at_epoch_ms, function_name) INCLUDE (application_name);

CREATE INDEX idx_operation_outputs_retention ON dbos.operation_outputs USING btree (retention_timestamp);

CREATE INDEX idx_workflow_input_retention ON dbos.workflow_input USING btree (retention_timestamp);

CREATE INDEX idx_workflow_output_retention ON dbos.workflow_output USING btree (retention_timestamp);

CREATE INDEX idx_workflow_status_attributes ON dbos.workflow_status USING gin (attributes) WHERE (attributes IS NOT NULL);

CREATE INDEX idx_workflow_status_completed_at ON dbos.workflow_status USING btree (completed_at) WHERE (completed_at IS NOT NULL);

CREATE INDEX idx_workflow_status_deadline ON dbos.workflow_status USING btree (workflow_deadline_epoch_ms) WHERE ((status = ANY (ARRAY['ENQUEUED'::text, 'PENDING'::text, 'DELAYED'::text])) AND (workflow_deadline_epoch_ms IS NOT NULL));

CREATE INDEX idx_workflow_status_delayed ON dbos.workflow_status USING btree (delay_until_epoch_ms) WHERE (status = 'DELAYED'::text);

CREATE INDEX idx_workflow_status_failed ON dbos.workflow_status USING btree (status, created_at) WHERE (status = ANY (ARRAY['ERROR'::text, 'CANCELLED'::text, 'MAX_RECOVERY_ATTEMPTS_EXCEEDED'::text]));

CREATE INDEX idx_workflow_status_forked_from ON dbos.workflow_status USING btree (forked_from) WHERE (forked_from IS NOT NULL);

CREATE INDEX idx_workflow_status_in_flight_v2 ON dbos.workflow_status USING btree (queue_name, status, priority, created_at) INCLUDE (application_name) WHERE (status = ANY (ARRAY['ENQUEUED'::text, 'PENDING'::text]));

CREATE INDEX idx_workflow_status_parent_workflow_id ON dbos.workflow_status USING btree (parent_workflow_id) WHERE (parent_workflow_id IS NOT NULL);

CREATE INDEX idx_workflow_status_partition_dequeue_v3 ON dbos.workflow_status USING btree (queue_name, status, queue_partition_key, priority, created_at, workflow_uuid) INCLUDE (application_name) WHERE ((status = ANY (ARRAY['ENQUEUED'::text, 'PENDING'::text])) AND (queue_partition_key IS NOT NULL));

CREATE INDEX idx_workflow_status_pending ON dbos.workflow_status USING btree (created_at) WHERE (status = 'PENDING'::text);

CREATE INDEX idx_workflow_status_rate_limited ON dbos.workflow_status USING btree (queue_name, started_at_epoch_ms) WHERE (rate_limited = true);

CREATE INDEX idx_workflow_status_schedule_name ON dbos.workflow_status USING btree (schedule_name) WHERE (schedule_name IS NOT NULL);

CREATE INDEX idx_workflow_status_started_at ON dbos.workflow_status USING btree (started_at_epoch_ms) WHERE (started_at_epoch_ms IS NOT NULL);

CREATE INDEX idx_workflow_topic ON dbos.notifications USING btree (destination_uuid, topic);

CREATE UNIQUE INDEX uq_application_versions_owner_version ON dbos.application_versions USING btree (application_name, version_name) WHERE (application_name IS NOT NULL);

CREATE UNIQUE INDEX uq_application_versions_unclaimed_version ON dbos.application_versions USING btree (version_name) WHERE (application_name IS NULL);

CREATE UNIQUE INDEX uq_workflow_status_dedup_id ON dbos.workflow_status USING btree (queue_name, deduplication_id) WHERE (deduplication_id IS NOT NULL);

CREATE INDEX workflow_status_created_at_index ON dbos.workflow_status USING btree (created_at);

CREATE INDEX audit_request ON lockkeeper.audit USING btree (request_id, seq DESC);

CREATE INDEX audit_seldom ON lockkeeper.audit USING btree (act, id) WHERE (act = ANY (ARRAY['audit accept'::text, 'configuration'::text]));

CREATE UNIQUE INDEX audit_seq ON lockkeeper.audit USING btree (seq);

CREATE INDEX audit_target ON lockkeeper.audit USING btree (target, seq DESC);

CREATE INDEX audit_unchained ON lockkeeper.audit USING btree (id) WHERE (hash IS NULL);

CREATE INDEX backup_target ON lockkeeper.backup USING btree (target, created_at DESC);

CREATE INDEX break_glass_unreviewed ON lockkeeper.break_glass USING btree (remind_at) WHERE ((broken_at IS NOT NULL) AND (reviewed_at IS NULL));

CREATE INDEX bulletin_to_draw ON lockkeeper.bulletin USING btree (draw_after) WHERE ((draw_lease IS NOT NULL) OR (draw_after < 'infinity'::timestamp with time zone) OR (revision > drawn_revision));

CREATE INDEX delivery_due ON lockkeeper.delivery USING btree (next_try_at) WHERE ((state = 'pending'::text) AND (with_id IS NULL));

CREATE INDEX delivery_waiting ON lockkeeper.delivery USING btree (destination, id) WHERE ((state = 'pending'::text) AND (with_id IS NULL));

CREATE INDEX delivery_with ON lockkeeper.delivery USING btree (with_id) WHERE (with_id IS NOT NULL);

CREATE INDEX event_request ON lockkeeper.event USING btree (request_id, id);

CREATE INDEX freeze_in_force ON lockkeeper."freeze" USING btree (until_at) WHERE (lifted_at IS NULL);

CREATE INDEX maintenance_ahead ON lockkeeper.maintenance USING btree (starts_at) WHERE (state = ANY (ARRAY['scheduled'::text, 'open'::text]));

CREATE INDEX maintenance_event_window ON lockkeeper.maintenance_event USING btree (maintenance_id, id);

CREATE INDEX maintenance_to_draw ON lockkeeper.maintenance USING btree (draw_after) WHERE ((draw_lease IS NOT NULL) OR (draw_after < 'infinity'::timestamp with time zone) OR (revision > drawn_revision));

CREATE INDEX message_bulletin ON lockkeeper.message USING btree (bulletin_id) WHERE (bulletin_id IS NOT NULL);

CREATE INDEX message_maintenance ON lockkeeper.message USING btree (maintenance_id) WHERE (maintenance_id IS NOT NULL);

CREATE INDEX message_request ON lockkeeper.message USING btree (request_id);

CREATE INDEX message_unsent ON lockkeeper.message USING btree (created_at) WHERE (state = ANY (ARRAY['intended'::text, 'unsure'::text]));

CREATE INDEX notice_due ON lockkeeper.notice USING btree (due_at) WHERE (state = 'pending'::text);

CREATE INDEX notice_told ON lockkeeper.notice USING btree (decided_at) WHERE (state = 'sent'::text);

CREATE INDEX offer_made ON lockkeeper.offer USING btree (made_at);

CREATE INDEX page_due ON lockkeeper.page USING btree (next_at) WHERE ((acknowledged_at IS NULL) AND (closed_at IS NULL));

CREATE UNIQUE INDEX request_active_database ON lockkeeper.request USING btree (identity_key) WHERE ((identity_key IS NOT NULL) AND (state = ANY (ARRAY['planning'::text, 'waiting'::text, 'granted'::text, 'running'::text, 'needs_human'::text])));

CREATE UNIQUE INDEX request_active_target ON lockkeeper.request USING btree (target) WHERE (state = ANY (ARRAY['planning'::text, 'waiting'::text, 'granted'::text, 'running'::text, 'needs_human'::text]));

CREATE INDEX request_due ON lockkeeper.request USING btree (expires_at) WHERE (state = 'waiting'::text);

CREATE INDEX request_failed ON lockkeeper.request USING btree (ended_at) WHERE (state = 'failed'::text);

CREATE INDEX request_maintenance ON lockkeeper.request USING btree (maintenance_id) WHERE (maintenance_id IS NOT NULL);

CREATE INDEX request_target_id ON lockkeeper.request USING btree (target, id DESC);

CREATE INDEX request_to_draw ON lockkeeper.request USING btree (draw_after) WHERE ((draw_lease IS NOT NULL) OR (draw_after < 'infinity'::timestamp with time zone) OR (revision > drawn_revision));

CREATE INDEX request_turn ON lockkeeper.request USING btree (not_before) WHERE ((state = 'granted'::text) AND (started_at IS NULL));

CREATE INDEX request_wake ON lockkeeper.request USING btree (wake_at) WHERE ((wake_at IS NOT NULL) AND (started_at IS NULL) AND (state = ANY (ARRAY['waiting'::text, 'granted'::text])));

CREATE TRIGGER dbos_notifications_trigger AFTER INSERT ON dbos.notifications FOR EACH ROW EXECUTE FUNCTION dbos.notifications_function();

CREATE CONSTRAINT TRIGGER audit_chain AFTER INSERT ON lockkeeper.audit DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION lockkeeper.audit_chain();

ALTER TABLE lockkeeper.audit ENABLE ALWAYS TRIGGER audit_chain;

CREATE TRIGGER audit_guard BEFORE DELETE OR UPDATE ON lockkeeper.audit FOR EACH ROW EXECUTE FUNCTION lockkeeper.audit_guard();

ALTER TABLE lockkeeper.audit ENABLE ALWAYS TRIGGER audit_guard;

CREATE TRIGGER audit_guard_all BEFORE TRUNCATE ON lockkeeper.audit FOR EACH STATEMENT EXECUTE FUNCTION lockkeeper.audit_guard();

ALTER TABLE lockkeeper.audit ENABLE ALWAYS TRIGGER audit_guard_all;

CREATE TRIGGER audit_new BEFORE INSERT ON lockkeeper.audit FOR EACH ROW EXECUTE FUNCTION lockkeeper.audit_new();

ALTER TABLE lockkeeper.audit ENABLE ALWAYS TRIGGER audit_new;

ALTER TABLE ONLY dbos.notifications
    ADD CONSTRAINT notifications_destination_uuid_fkey FOREIGN KEY (destination_uuid) REFERENCES dbos.workflow_status(workflow_uuid) ON UPDATE CASCADE ON DELETE CASCADE;

ALTER TABLE ONLY dbos.streams
    ADD CONSTRAINT streams_workflow_uuid_fkey FOREIGN KEY (workflow_uuid) REFERENCES dbos.workflow_status(workflow_uuid) ON UPDATE CASCADE ON DELETE CASCADE;

ALTER TABLE ONLY dbos.workflow_events_history
    ADD CONSTRAINT workflow_events_history_workflow_uuid_fkey FOREIGN KEY (workflow_uuid) REFERENCES dbos.workflow_status(workflow_uuid) ON UPDATE CASCADE ON DELETE CASCADE;

ALTER TABLE ONLY dbos.workflow_events
    ADD CONSTRAINT workflow_events_workflow_uuid_fkey FOREIGN KEY (workflow_uuid) REFERENCES dbos.workflow_status(workflow_uuid) ON UPDATE CASCADE ON DELETE CASCADE;

ALTER TABLE ONLY lockkeeper.backup
    ADD CONSTRAINT backup_request_id_fkey FOREIGN KEY (request_id) REFERENCES lockkeeper.request(id);

ALTER TABLE ONLY lockkeeper.break_glass
    ADD CONSTRAINT break_glass_request_id_fkey FOREIGN KEY (request_id) REFERENCES lockkeeper.request(id);

ALTER TABLE ONLY lockkeeper.checklist_item
    ADD CONSTRAINT checklist_item_maintenance_id_fkey FOREIGN KEY (maintenance_id) REFERENCES lockkeeper.maintenance(id);

ALTER TABLE ONLY lockkeeper.delivery
    ADD CONSTRAINT delivery_with_id_fkey FOREIGN KEY (with_id) REFERENCES lockkeeper.delivery(id);

ALTER TABLE ONLY lockkeeper.event
    ADD CONSTRAINT event_request_id_fkey FOREIGN KEY (request_id) REFERENCES lockkeeper.request(id);

ALTER TABLE ONLY lockkeeper.maintenance_event
    ADD CONSTRAINT maintenance_event_maintenance_id_fkey FOREIGN KEY (maintenance_id) REFERENCES lockkeeper.maintenance(id);

ALTER TABLE ONLY lockkeeper.message
    ADD CONSTRAINT message_bulletin_id_fkey FOREIGN KEY (bulletin_id) REFERENCES lockkeeper.bulletin(id);

ALTER TABLE ONLY lockkeeper.message
    ADD CONSTRAINT message_maintenance_id_fkey FOREIGN KEY (maintenance_id) REFERENCES lockkeeper.maintenance(id);

ALTER TABLE ONLY lockkeeper.message
    ADD CONSTRAINT message_request_id_fkey FOREIGN KEY (request_id) REFERENCES lockkeeper.request(id);

ALTER TABLE ONLY lockkeeper.notice
    ADD CONSTRAINT notice_maintenance_id_fkey FOREIGN KEY (maintenance_id) REFERENCES lockkeeper.maintenance(id);

ALTER TABLE ONLY lockkeeper.offer
    ADD CONSTRAINT offer_request_id_fkey FOREIGN KEY (request_id) REFERENCES lockkeeper.request(id);

ALTER TABLE ONLY lockkeeper.page
    ADD CONSTRAINT page_request_id_fkey FOREIGN KEY (request_id) REFERENCES lockkeeper.request(id);

ALTER TABLE ONLY lockkeeper.request
    ADD CONSTRAINT request_maintenance_id_fkey FOREIGN KEY (maintenance_id) REFERENCES lockkeeper.maintenance(id);

ALTER TABLE ONLY lockkeeper.step
    ADD CONSTRAINT step_request_id_fkey FOREIGN KEY (request_id) REFERENCES lockkeeper.request(id);

ALTER TABLE ONLY lockkeeper.vote
    ADD CONSTRAINT vote_request_id_fkey FOREIGN KEY (request_id) REFERENCES lockkeeper.request(id);
