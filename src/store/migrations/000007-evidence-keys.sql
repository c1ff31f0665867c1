-- public keys only; several replicas may sign, each with its own
create table lockkeeper.evidence_key (
  key_id text primary key,
  public_key text not null,
  registered_at timestamptz not null default clock_timestamp()
);
