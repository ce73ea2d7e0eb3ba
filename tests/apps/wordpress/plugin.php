<?php
// SPDX-License-Identifier: MIT
/*
Plugin Name: Holes
Description: Every hole that a plugin can have.  DELIBERATELY VULNERABLE: for tests only.
Version: 1.0
License: MIT
*/
function holes_answer()
{
    $_REQUEST = wp_unslash($_REQUEST); // WordPress adds slashes
    include __DIR__ . '/holes.php';
    exit;
}
add_action('wp_ajax_holes', 'holes_answer');
add_action('wp_ajax_nopriv_holes', 'holes_answer');
