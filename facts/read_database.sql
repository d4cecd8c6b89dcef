-- One line of JSON a question, about the role :role and the database :database; the second half only where that exists.
SELECT json_build_object(
    'hba_file', current_setting('hba_file'),
    'hba_loaded', extract(epoch FROM pg_conf_load_time()));
SELECT json_build_object('hba', json_agg(to_jsonb(rule) - 'options' - 'netmask' - 'user_name'
    || jsonb_build_object('mapped', EXISTS (SELECT FROM unnest(options) AS one WHERE one LIKE 'map=%')))) FROM pg_hba_file_rules AS rule;
SELECT json_build_object('role', rolname, 'super', rolsuper, 'createdb', rolcreatedb, 'createrole', rolcreaterole,
    'replication', rolreplication, 'bypassrls', rolbypassrls, 'login', rolcanlogin, 'verifier', rolpassword,
    'member_of', ARRAY(SELECT pg_get_userbyid(roleid) FROM pg_auth_members WHERE member = reader.oid),
    'owns', (SELECT count(*) FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND refobjid = reader.oid AND deptype = 'o'),
    'role_note', shobj_description(reader.oid, 'pg_authid'))
  FROM pg_authid AS reader WHERE rolname = :'role';
SELECT json_build_object('database', datname, 'database_owner', pg_get_userbyid(datdba),
    'public_may_connect', has_database_privilege('public', datname, 'CONNECT'), 'database_acl', coalesce(datacl::text, ''),
    'database_note', shobj_description(oid, 'pg_database')) FROM pg_database WHERE datname = :'database';
SELECT count(*) > 0 AS database_exists FROM pg_database WHERE datname = :'database' \gset
\if :database_exists
\connect :"database"
SELECT json_build_object('schema_acl', coalesce(nspacl::text, ''))
  FROM pg_namespace WHERE nspname = 'public';
SELECT json_build_object('table', relname, 'owner', pg_get_userbyid(relowner), 'acl', coalesce(relacl::text, ''),
    'columns', ARRAY(SELECT attname FROM pg_attribute WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped),
    'column_acl', ARRAY(SELECT attname || ' ' || attacl::text FROM pg_attribute WHERE attrelid = pg_class.oid AND attacl IS NOT NULL))
  FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace;
-- what works beside the tables and their rights, or in their place
SELECT json_build_object('hidden', coalesce(json_agg(what ORDER BY what), '[]')) FROM (
  SELECT 'a function ' || proname || ' that runs with its owner''s rights' FROM pg_proc JOIN pg_namespace AS n ON n.oid = pronamespace
    WHERE prosecdef AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  UNION ALL SELECT 'a trigger ' || tgname || ' on ' || relname FROM pg_trigger JOIN pg_class AS c ON c.oid = tgrelid
    WHERE NOT tgisinternal AND relname IN ('users', 'transports', 'aliases')
  UNION ALL SELECT 'a rule ' || rulename || ' on ' || relname FROM pg_rewrite JOIN pg_class AS c ON c.oid = ev_class
    WHERE relkind = 'r' AND relname IN ('users', 'transports', 'aliases')
  UNION ALL SELECT 'an event trigger ' || evtname FROM pg_event_trigger
  UNION ALL SELECT 'row security on ' || relname FROM pg_class
    WHERE relrowsecurity AND relnamespace = 'public'::regnamespace AND relname IN ('users', 'transports', 'aliases')
  UNION ALL SELECT 'default rights for new ' || CASE defaclobjtype WHEN 'r' THEN 'tables' ELSE 'objects' END || ' of '
    || pg_get_userbyid(defaclrole) FROM pg_default_acl
  UNION ALL SELECT 'a schema ' || nspname || ' with a table ' || relname FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace
    WHERE nspname <> 'public' AND relname IN ('users', 'transports', 'aliases') AND relkind IN ('r', 'v', 'm', 'f', 'p')
  UNION ALL SELECT 'settings of its own for ' || coalesce('the role ' || pg_get_userbyid(nullif(setrole, 0)), 'everybody')
    FROM pg_db_role_setting WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = :'database')
      OR pg_get_userbyid(setrole) = :'role'
) AS found (what);
SELECT count(*) = 3 AS tables_exist FROM pg_class
  WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname IN ('users', 'transports', 'aliases') \gset
\if :tables_exist
SELECT count(*) > 0 AS fingerprints_exist FROM pg_class
  WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname = 'password_fingerprints' \gset
\if :fingerprints_exist
SELECT to_jsonb(users) - 'created' || jsonb_build_object('row', 'users', 'hash', hash, 'key', key, 'fingerprint', fingerprint)
  FROM users LEFT JOIN password_fingerprints USING (email);
\else
SELECT to_jsonb(users) - 'created' || jsonb_build_object('row', 'users') FROM users;
\endif
SELECT json_build_object('row', 'transports', 'domain', domain, 'transport', transport) FROM transports;
SELECT json_build_object('row', 'aliases', 'alias', alias, 'email', email) FROM aliases;
\endif
\endif
