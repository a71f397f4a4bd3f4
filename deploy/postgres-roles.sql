-- Creates a login role and a schema for each service, without further rights.
--
-- Run with psql as a superuser in CogniFlow's database; passwords come from
-- the environment. Can be repeated: creates what is missing, and resets
-- passwords, limits and rights.
\set ON_ERROR_STOP on
\getenv users_password USERS_DB_PASSWORD
\getenv courses_password COURSES_DB_PASSWORD
\getenv chat_password CHAT_DB_PASSWORD
\getenv analytics_password ANALYTICS_DB_PASSWORD

BEGIN;
SET LOCAL client_min_messages = warning;

-- Extensions have their own schema, so that no role needs access to `public`.
CREATE SCHEMA IF NOT EXISTS extensions;
CREATE EXTENSION IF NOT EXISTS vector SCHEMA extensions;

CREATE TEMPORARY TABLE service_roles (name text, password text, search_path text) ON COMMIT DROP;
INSERT INTO service_roles VALUES
  ('users',     :'users_password',     'users'),
  ('courses',   :'courses_password',   'courses'),
  ('chat',      :'chat_password',      'chat, extensions'),
  ('analytics', :'analytics_password', 'analytics');

SELECT format('CREATE ROLE %I', name) FROM service_roles
WHERE name NOT IN (SELECT rolname FROM pg_roles) \gexec

-- 4 x 24 connections leave room for the superuser under max_connections = 100.
SELECT format('ALTER ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS '
              'CONNECTION LIMIT 24 PASSWORD %L', name, password) FROM service_roles \gexec
SELECT format('ALTER ROLE %I SET search_path = %s', name, search_path) FROM service_roles \gexec
-- Ends transactions of lost clients, which would hold their locks forever.
SELECT format('ALTER ROLE %I SET idle_in_transaction_session_timeout = %L', name, '60s') FROM service_roles \gexec

SELECT format('CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION %I', name, name) FROM service_roles \gexec

REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC;
REVOKE ALL ON SCHEMA public, extensions FROM PUBLIC;
SELECT format('GRANT CONNECT ON DATABASE %I TO %I', :'DBNAME', name) FROM service_roles \gexec
GRANT USAGE ON SCHEMA extensions TO chat;

COMMIT;
