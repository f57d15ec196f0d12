-- Why the consumer did not take the event that is to be sent next: one of a few words, and the status that it answered. Null
-- while nothing fails. It is what somebody who looks at a webhook that is behind wants to know first.
alter table webhook_cursors add column last_error text;
