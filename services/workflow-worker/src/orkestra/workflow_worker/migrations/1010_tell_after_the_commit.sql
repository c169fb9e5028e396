-- migrate:up
-- Where the process that records an end tells of it once it is committed, the commit does not notify: such commits
-- wait for each other's disk.
create or replace function run_ended() returns trigger language plpgsql as $$
begin
    if current_setting('app.is_told', true) is distinct from 'yes' then
        perform pg_notify(tg_table_schema || '_run_ended', new.workflow_id);
    end if;
    return null;
end $$;

-- migrate:down
