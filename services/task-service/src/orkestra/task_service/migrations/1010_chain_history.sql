-- migrate:up

alter table task_history
    -- Over reason, before and after, so that these can be erased and the chain stays whole.
    add column content_digest text,
    -- The digest of the entry before; of the first entry the empty text.
    add column previous       text,
    add column digest         text,
    -- Private: over this entry as the tip of its chain; empty where a later tip was signed, null where none is yet.
    add column signature      text;

create index task_history_unsigned on task_history (at) where signature is null;

create function history_content_digest(reason text, before json, after json) returns text language sql stable as $$
    select encode(sha256(convert_to(json_build_array(reason, before::text, after::text)::text, 'UTF8')), 'hex')
$$;

create function history_digest(
    task_id text, sequence bigint, event text, at timestamptz, actor text, acted_for text, door text,
    content_digest text, previous text
) returns text language sql stable as $$
    select encode(sha256(convert_to(json_build_array(
        task_id, sequence, event, (extract(epoch from at) * 1000000)::bigint, actor, acted_for, door, content_digest, previous
    )::text, 'UTF8')), 'hex')
$$;

-- Whoever writes an entry holds the lock of the task's row, so the entry before is there; one of the same statement too.
create function chain_history() returns trigger language plpgsql as $$
begin
    new.content_digest := history_content_digest(new.reason, new.before, new.after);
    new.previous := coalesce((
        select h.digest from task_history h
        where h.tenant_id = new.tenant_id and h.task_id = new.task_id and h.sequence = new.sequence - 1), '');
    new.digest := history_digest(
        new.task_id, new.sequence, new.event, new.at, new.actor, new.acted_for, new.door, new.content_digest, new.previous);
    return new;
end
$$;

create trigger chain_history before insert on task_history for each row execute function chain_history();

-- The sweep looks across tenants, and only for entries that no signed tip covers.
create policy sweep_unsigned on task_history for select to task_sweep using (signature is null);
grant select (tenant_id, task_id, at, signature) on task_history to task_sweep;

-- migrate:down
