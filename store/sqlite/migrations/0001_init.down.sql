DROP TABLE generation;
DROP TABLE audit;
DROP TABLE records;
DROP TABLE meetings;
