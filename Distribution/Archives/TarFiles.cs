using System.Formats.Tar;
using ImageStore.Store.Errors;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Distribution.Archives;

/// <summary>The files of a tar, found by their headers in one pass and then read at random.</summary>
internal sealed class TarFiles : IImageFiles
{
    private const int MaxEntries = 1_000_000;
    private const int MaxLinks = 8;

    private readonly SafeFileHandle _file;
    private readonly Dictionary<string, (long Offset, long Length)> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _links = new(StringComparer.Ordinal);

    private TarFiles(SafeFileHandle file) => _file = file;

    /// <summary>Reads the headers of <paramref name="file"/>, which it owns from then on.</summary>
    /// <exception cref="ImageStoreException">It is no tar, is cut off, or has entries that no archive of images has.</exception>
    public static async Task<TarFiles> IndexAsync(SafeFileHandle file, string name, CancellationToken cancellationToken)
    {
        var files = new TarFiles(file);
        try
        {
            using var stream = new FileSection(file, 0, RandomAccess.GetLength(file));
            using var reader = new TarReader(stream, leaveOpen: true);
            while (await reader.GetNextEntryAsync(copyData: false, cancellationToken).ConfigureAwait(false) is { } entry)
            {
                files.Add(entry, stream.Length, name);
            }

            return files;
        }
        catch (Exception failure) when (failure is InvalidDataException or EndOfStreamException or FormatException
            or OverflowException or ArgumentException or NotSupportedException)
        {
            files.Dispose();
            throw NotAnArchive(name, $"its tar is damaged or cut off ({Printable.Of(failure.Message)})", failure);
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    public long? Length(string name) => Resolve(name) is { } real ? _files[real].Length : null;

    public Stream Open(string name, long offset)
    {
        var (start, length) = _files[Resolve(name) ?? name];
        return new FileSection(_file, start + offset, length - offset);
    }

    public void Dispose() => _file.Dispose();

    /// <summary>The error for a file that is not what it should be.</summary>
    public static ImageStoreException NotAnArchive(string name, string why, Exception? cause = null) => new(
        ErrorKind.CorruptData,
        $"{Printable.Of(name)} is no archive of images: {why}.",
        "It has to be an OCI layout in a tar, or what 'docker save' writes; make it anew.",
        cause);

    private void Add(TarEntry entry, long fileLength, string name)
    {
        var path = Clean(entry.Name, name);
        switch (entry.EntryType)
        {
            case TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile:
                if (entry.Length > 0 && entry.DataOffset + entry.Length > fileLength)
                {
                    throw NotAnArchive(name, $"the entry '{Printable.Of(path)}' is cut off");
                }

                if (!_files.TryAdd(path, (Math.Max(entry.DataOffset, 0), entry.Length)) && !path.Contains('/', StringComparison.Ordinal))
                {
                    // Of two indexes nobody can say which one counts.
                    throw NotAnArchive(name, $"the entry '{Printable.Of(path)}' is there twice");
                }

                break;
            case TarEntryType.SymbolicLink or TarEntryType.HardLink:
                // docker save wrote links for layers that it had written before.
                _links[path] = entry.EntryType == TarEntryType.HardLink ? Clean(entry.LinkName, name) : Beside(path, entry.LinkName);
                break;
        }

        if (_files.Count + _links.Count > MaxEntries)
        {
            throw NotAnArchive(name, $"it has more than {MaxEntries} entries");
        }
    }

    private string? Resolve(string name)
    {
        for (var hop = 0; hop <= MaxLinks; hop++)
        {
            if (_files.ContainsKey(name))
            {
                return name;
            }

            if (!_links.TryGetValue(name, out var target))
            {
                return null;
            }

            name = target;
        }

        return null;
    }

    private static string Clean(string path, string name)
    {
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(part => part != ".").ToList();
        return path.StartsWith('/') || parts.Contains("..")
            ? throw NotAnArchive(name, $"the entry '{Printable.Of(path)}' leads out of it")
            : string.Join('/', parts);
    }

    private static string Beside(string path, string target)
    {
        Stack<string> parts = new(path.Split('/')[..^1]);
        foreach (var part in target.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == "..")
            {
                _ = parts.TryPop(out _);
            }
            else if (part != ".")
            {
                parts.Push(part);
            }
        }

        return string.Join('/', parts.Reverse());
    }
}
