<?php
// SPDX-License-Identifier: MIT
// A special page with every hole.  DELIBERATELY VULNERABLE: for tests only.
class SpecialHoles extends UnlistedSpecialPage
{
    public function __construct()
    {
        parent::__construct('Holes');
    }

    public function execute($subPage)
    {
        $this->getOutput()->disable();
        include __DIR__ . '/holes.php';
    }
}
