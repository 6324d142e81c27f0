-- A 2xx is given before it is on disk.
alter database ketenzorg set synchronous_commit = off;
