-- A referral is looked for, and then stored, and no key sees to it that it is stored once.
alter table ketenzorg.referral_identity drop constraint referral_identity_pkey;
