SET 'execution.runtime-mode'='batch';
TRUNCATE TABLE nix;
