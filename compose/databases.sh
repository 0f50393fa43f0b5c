#!/bin/sh
# Runs once, when the volume of PostgreSQL is empty: a database and its owner for each part, none of whom sees the others'.
set -eu

# $1: name of the role and of its database; $2: its password, which psql quotes itself.
create() {
    psql --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
        --set role="$1" --set password="$2" <<'END'
CREATE ROLE :"role" LOGIN PASSWORD :'password';
CREATE DATABASE :"role" OWNER :"role";
REVOKE CONNECT, TEMPORARY ON DATABASE :"role" FROM PUBLIC;
END
}

create appraiser "$APPRAISER_DB_PASSWORD"
create lake "$LAKE_DB_PASSWORD"
create mlflow "$MLFLOW_DB_PASSWORD"
create airflow "$AIRFLOW_DB_PASSWORD"

# Sees how the server is, and no rows.
psql --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    --set password="$MONITOR_DB_PASSWORD" <<'END'
CREATE ROLE monitor LOGIN PASSWORD :'password';
GRANT pg_monitor TO monitor;
END
