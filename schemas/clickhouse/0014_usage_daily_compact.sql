-- A history reads a few blocks of every column. In a part that keeps its columns in one file that is one file to open instead of
-- eleven, and no more to decompress than what is asked for. So new parts of all sizes are of that kind. What is merged with a part
-- that has a file for each column stays like that one.
ALTER TABLE usage_daily
    MODIFY SETTING min_bytes_for_wide_part = 1099511627776;
