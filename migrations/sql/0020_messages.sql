-- What an organisation sees of its messages, what the sender of a referral must know of them, and what goes when it is old.
set local search_path = ketenzorg, pg_temp;

-- What is over, the oldest first: it is listed, and in the end it goes.
create index outbox_ended on outbox (region, subscription, ended, number) where state in ('delivered', 'withdrawn');
create index outbox_parked on outbox (region, subscription, number) where state = 'parked';
-- What the other parties of a traject were sent and have not got; nobody looked it up by when a person was told.
drop index outbox_late;
create index outbox_of_traject on outbox (region, traject) where state <> 'delivered';
