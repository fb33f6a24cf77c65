# nix-build -E 'with import <nixpkgs> {}; callPackage ./packaging/nix/package.nix { }'
{ lib, rustPlatform, installShellFiles }:

rustPlatform.buildRustPackage {
  pname = "qxups";
  version = "0.1.0";

  src = lib.cleanSource ../..;
  cargoLock.lockFile = ../../Cargo.lock;

  cargoBuildFlags = [ "-p" "driver" "-p" "qxups" ];
  # the others start programs of NUT, or need devices
  cargoTestFlags = [ "-p" "qxups-proto" "-p" "qxups-battery" "-p" "protect" "--lib" ];

  # as in the module power.ups of NixOS
  QXUPS_CONFPATH = "/etc/nut";
  QXUPS_STATEPATH = "/var/lib/nut";
  QXUPS_VARPATH = "/var/lib/nut";

  nativeBuildInputs = [ installShellFiles ];

  postInstall = ''
    # cargoInstallHook sets releaseDir and has put all programs into bin; each has its own place
    find $out/bin -type f ! -name qxups -delete
    sh packaging/install.sh "" "$releaseDir" $out
    installShellCompletion --cmd qxups \
      --bash <($out/bin/qxups completions bash) \
      --zsh <($out/bin/qxups completions zsh) \
      --fish <($out/bin/qxups completions fish)
  '';

  meta = {
    description = "Drivers, server and tool for UPSes of the Megatec family, for Network UPS Tools";
    license = lib.licenses.gpl3Plus;
    platforms = lib.platforms.linux;
    mainProgram = "qxups";
  };
}
