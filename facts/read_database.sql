-- One line of JSON a question; the second half only where the database exists.
SELECT json_build_object(
    'hba_file', current_setting('hba_file'),
    'hba_loaded', extract(epoch FROM pg_conf_load_time()),
    'password_encryption', current_setting('password_encryption'));
SELECT json_build_object('role', rolname, 'super', rolsuper, 'createdb', rolcreatedb, 'createrole', rolcreaterole,
    'replication', rolreplication, 'bypassrls', rolbypassrls, 'login', rolcanlogin, 'verifier', rolpassword,
    'member_of', ARRAY(SELECT pg_get_userbyid(roleid) FROM pg_auth_members WHERE member = reader.oid),
    'owns', (SELECT count(*) FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND refobjid = reader.oid AND deptype = 'o'),
    'role_note', shobj_description(reader.oid, 'pg_authid'))
  FROM pg_authid AS reader WHERE rolname = 'mailreader';
SELECT json_build_object('database', datname, 'database_owner', pg_get_userbyid(datdba),
    'public_may_connect', has_database_privilege('public', datname, 'CONNECT'), 'database_acl', coalesce(datacl::text, ''),
    'database_note', shobj_description(oid, 'pg_database')) FROM pg_database WHERE datname = 'mail';
SELECT count(*) > 0 AS mail_exists FROM pg_database WHERE datname = 'mail' \gset
\if :mail_exists
\connect mail
SELECT json_build_object('schema_acl', coalesce(nspacl::text, ''), 'schema_owner', pg_get_userbyid(nspowner))
  FROM pg_namespace WHERE nspname = 'public';
SELECT json_build_object('table', relname, 'owner', pg_get_userbyid(relowner), 'acl', coalesce(relacl::text, ''),
    'columns', ARRAY(SELECT attname FROM pg_attribute WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped),
    'column_acl', ARRAY(SELECT attname || ' ' || attacl::text FROM pg_attribute WHERE attrelid = pg_class.oid AND attacl IS NOT NULL))
  FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace;
SELECT count(*) = 3 AS tables_exist FROM pg_class
  WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname IN ('users', 'transports', 'aliases') \gset
\if :tables_exist
SELECT json_build_object('row', 'users', 'email', email, 'password', password, 'realname', realname, 'maildir', maildir) FROM users;
SELECT json_build_object('row', 'transports', 'domain', domain, 'transport', transport) FROM transports;
SELECT json_build_object('row', 'aliases', 'alias', alias, 'email', email) FROM aliases;
\endif
\endif
