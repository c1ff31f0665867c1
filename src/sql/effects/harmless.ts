/** Whether a function of this name only computes: PostgreSQL's own and those of well-known extensions. What is not known may do anything. */
export function isHarmless(path: readonly string[]): boolean {
  const [name = '', schema] = path.toReversed()
  if (schema !== undefined && !['pg_catalog', 'public', 'extensions'].includes(schema)) return false
  return NAMES.has(name) || /^(json|jsonb|array|string|regexp|pg_get|st|regr)_/.test(name)
}

const NAMES = new Set(
  `abs acos age area ascii asin atan atan2 avg bit_and bit_length bit_or bool_and bool_or box broadcast btrim cardinality cbrt ceil ceiling
  center char_length character_length chr circle clock_timestamp coalesce concat concat_ws convert convert_from convert_to corr cos cot count
  covar_pop covar_samp crypt cume_dist current_database current_schema current_schemas current_setting current_user currval date date_bin
  date_part date_trunc daterange decode degrees dense_rank diagonal digest div encode enum_first enum_last enum_range erf every exp
  extract factorial family first_value floor format format_type gcd gen_random_bytes gen_random_uuid gen_salt generate_series
  generate_subscripts get_bit get_byte greatest grouping height hmac host hostmask initcap int4range int8range interval isclosed isempty
  isfinite isopen jsonb justify_days justify_hours justify_interval lag last_value lastval lcm lead least left length line ln localtime
  localtimestamp log log10 lower lower_inc lower_inf lpad lseg lower_case ltrim make_date make_interval make_time make_timestamp
  make_timestamptz masklen max md5 metaphone min min_scale mod mode multirange netmask network nextval normalize now npoints nth_value ntile nullif num_nonnulls
  num_nulls numnode numrange octet_length overlaps overlay parse_ident path pclose percent_rank percentile_cont percentile_disc pg_backend_pid
  pg_column_size pg_database_size pg_encoding_to_char pg_is_in_recovery pg_relation_size pg_size_pretty pg_sleep pg_table_size
  pg_total_relation_size pg_typeof phraseto_tsquery pi plainto_tsquery point polygon popen position power querytree quote_ident quote_literal
  quote_nullable radians random random_normal rank repeat replace reverse right round row_number row_to_json rpad rtrim scale session_user
  set_byte set_bit set_config set_masklen setweight sha224 sha256 sha384 sha512 shobj_description sign similarity sin soundex split_part sqrt
  starts_with statement_timestamp stddev stddev_pop stddev_samp strip strpos substr substring sum tan text timeofday timezone timestamp
  timestamptz translate transaction_timestamp trim trim_array trim_scale trunc ts_headline ts_rank ts_rank_cd tsrange tstzrange txid_current
  tsvector_to_array unaccent unnest upper upper_inc upper_inf user uuidv4 uuidv7 var_pop var_samp variance version websearch_to_tsquery
  width width_bucket word_similarity xmlagg to_char to_date to_hex to_json to_jsonb to_number to_regclass to_regproc to_regtype to_timestamp
  to_tsquery to_tsvector has_column_privilege has_schema_privilege has_table_privilege range_agg range_merge obj_description col_description
  inet_client_addr uuid_generate_v1 uuid_generate_v1mc uuid_generate_v3 uuid_generate_v4 uuid_generate_v5 uuid_extract_timestamp`
    .split(/\s+/)
    .filter((name) => name !== ''),
)
