DROP INDEX meetings_list;
