-- Documents that an operator's import kept although they break the rules of their usage. A document is flagged as long as its
-- entity tag is the flagged one: any later write was checked, and so takes the flag away by itself.
create table xcapd.flagged_documents (
  xui text not null,
  auid text not null,
  path text not null,
  entity_tag text not null,
  -- The rule that is broken, as a sentence. It may quote the document.
  reason text not null,
  primary key (xui, auid, path),
  foreign key (xui, auid, path) references xcapd.documents on delete cascade on update cascade
);
