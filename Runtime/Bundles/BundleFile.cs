using System.Text.Json;
using ImageStore.Runtime.Spec;
using ImageStore.Store;

namespace ImageStore.Runtime.Bundles;

/// <summary>Writes a bundle's configuration.</summary>
/// <remarks><see href="https://github.com/opencontainers/runtime-spec/blob/v1.0.2/bundle.md">OCI runtime spec, filesystem bundle</see>.</remarks>
public static class BundleFile
{
    /// <summary>Its name within the bundle.</summary>
    public const string Name = "config.json";

    /// <summary>Writes it, whole or not at all; only the owner reads it, as variables hold secrets.</summary>
    /// <param name="bundle">The bundle's directory.</param>
    /// <param name="spec">The configuration.</param>
    /// <exception cref="ImageStore.Store.Errors.ImageStoreException">It cannot be written.</exception>
    public static void Write(string bundle, RuntimeSpec spec) =>
        WholeFile.Write(Path.Combine(bundle, Name), JsonSerializer.SerializeToUtf8Bytes(spec, SpecJson.Writing.RuntimeSpec), WholeFile.Private);
}
