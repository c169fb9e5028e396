-- create_group
-- The note is a private column: the model has none.
insert into groups (tenant_id, group_id, name, members, note)
values (:tenant_id, :group_id, :name, :members, '{"says": ":not_a_parameter"}')
returning *

-- get_group
select * from groups where tenant_id = :tenant_id and group_id = :group_id

-- get_group_mutant
-- What a forgotten `where tenant_id` looks like.
select * from groups where group_id = :group_id

-- list_groups_mutant
select * from groups order by group_id

-- rename_group
update groups set name = :name, version = version + 1
where tenant_id = :tenant_id and group_id = :group_id and name <> :name
returning *

-- rename_all_mutant
update groups set name = 'taken'
