-- Whether a source holds restricted records is asked at each delivery.

create index records_labels on records (source, visibility);
