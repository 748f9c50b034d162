using System.Security.Cryptography;
using System.Text;
using ImageStore.Store.Interop;
using ImageStore.Store.Oci;

namespace ImageStore.Store.Content;

/// <summary>Where blobs and ingests lie under the content directory; the layout is containerd's.</summary>
internal sealed class BlobPaths
{
    private static readonly string[] s_algorithms = ["sha256", "sha512"];

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    public BlobPaths(string contentDirectory)
    {
        Content = contentDirectory;
        Ingests = Path.Combine(contentDirectory, "ingest");
    }

    public string Content { get; }

    public string Ingests { get; }

    public string Blobs(string algorithm) => Path.Combine(Content, "blobs", algorithm);

    public string Blob(Digest digest) => Path.Combine(Blobs(digest.AlgorithmName), digest.Hex);

    /// <summary>All blobs' files; what has no digest's name is none.</summary>
    public IEnumerable<(Digest Digest, string Path)> BlobFiles()
    {
        foreach (var algorithm in s_algorithms.Where(algorithm => Directory.Exists(Blobs(algorithm))))
        {
            foreach (var path in Directory.EnumerateFiles(Blobs(algorithm)))
            {
                if (Digest.TryParse($"{algorithm}:{Path.GetFileName(path)}", out var digest))
                {
                    yield return (digest, path);
                }
            }
        }
    }

    /// <summary>What lies in these folders and is no blob and no ingest.</summary>
    public IEnumerable<string> ForeignEntries()
    {
        IEnumerable<(string Folder, Func<string, bool> IsOurs)> folders =
        [
            (Content, name => name is "blobs" or "ingest"),
            (Path.Combine(Content, "blobs"), s_algorithms.Contains),
            .. s_algorithms.Select(algorithm => (Blobs(algorithm), (Func<string, bool>)(name => Digest.TryParse($"{algorithm}:{name}", out _)))),
            (Ingests, name => name.Length == SHA256.HashSizeInBytes * 2 && name.All(char.IsAsciiHexDigitLower)),
        ];
        return folders.Where(folder => Directory.Exists(folder.Folder)).SelectMany(folder =>
            Directory.EnumerateFileSystemEntries(folder.Folder).Where(path => !folder.IsOurs(Path.GetFileName(path))));
    }

    /// <summary>The reference is hashed, so that no character of it reaches the filesystem.</summary>
    public string Ingest(string @namespace, string reference) =>
        Path.Combine(Ingests, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{@namespace}/{reference}"))));

    /// <summary>Deletes ingests without data: those whose blob was published, or that never began, when the process died.</summary>
    /// <remarks>Only for the process that holds the root.</remarks>
    public void SweepIngests()
    {
        foreach (var path in Directory.EnumerateDirectories(Ingests))
        {
            var ingest = new IngestDirectory(path);
            if (!File.Exists(ingest.Data))
            {
                ingest.Delete();
            }
        }
    }

    /// <summary>Makes the directories that are missing, each synced into its parent.</summary>
    public void Create()
    {
        if (Directory.Exists(Ingests))
        {
            return;
        }

        foreach (var directory in (string[])[Content, Path.Combine(Content, "blobs"), Blobs("sha256"), Blobs("sha512"), Ingests])
        {
            Directory.CreateDirectory(directory, OwnerOnly);
            KernelFile.SyncDirectory(Path.GetDirectoryName(directory)!);
        }
    }
}
