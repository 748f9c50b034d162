using System.Globalization;
using System.Text.Json;
using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;
using ImageStore.Store.Namespaces;

namespace ImageStore.Engine.Prepull;

/// <summary>The records of a namespace's jobs: a file each in the root, beside the database, so that they are read and
/// a job is cancelled while another process has the root.</summary>
/// <remarks>Only the process that has the set's lock writes a job's record. What others want of it is a file of its own.</remarks>
public sealed class JobFolder
{
    /// <summary>Jobs of a set whose records are kept.</summary>
    internal const int MaxKept = 10;

    private const int MaxRecordBytes = 16 * 1024 * 1024;
    private const string RecordSuffix = ".json";
    private const string RequestSuffix = ".cancel";
    private const string LockSuffix = ".lock";
    private const string PartialSuffix = ".partial";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly string _root;
    private readonly string _namespace;
    private readonly string _folder;
    private readonly TimeProvider _time;

    /// <summary>Names the folder; it need not be there.</summary>
    /// <param name="root">The root directory.</param>
    /// <param name="namespace">The namespace.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="ImageStoreException">The namespace's name is malformed (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public JobFolder(string root, string @namespace, TimeProvider time)
    {
        (_root, _namespace, _time) = (Path.GetFullPath(root), NamespaceName.Check(@namespace), time);
        _folder = Path.Combine(_root, StoreRoot.JobsName, _namespace);
    }

    /// <summary>All jobs, the oldest first.</summary>
    /// <param name="unreadable">Is given the error of each record that cannot be read.</param>
    public IReadOnlyList<JobRecord> List(Action<ImageStoreException> unreadable)
    {
        ArgumentNullException.ThrowIfNull(unreadable);
        List<JobRecord> found = [];
        foreach (var path in Files(RecordSuffix))
        {
            try
            {
                found.Add(Read(path));
            }
            catch (ImageStoreException gone) when (gone.Kind == ErrorKind.NotFound)
            {
                // Its set has a newer one by now.
            }
            catch (ImageStoreException failure)
            {
                unreadable(failure);
            }
        }

        return [.. found.OrderBy(job => job.StartedAt).ThenBy(job => job.Id, StringComparer.Ordinal)];
    }

    /// <summary>A job.</summary>
    /// <exception cref="ImageStoreException">There is none of that id (<see cref="ErrorKind.NotFound"/>), or its record is damaged.</exception>
    public JobRecord Find(string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        return Identifier.IsOne(id) && File.Exists(PathOf(id))
            ? Read(PathOf(id))
            : throw new ImageStoreException(
                ErrorKind.NotFound, $"There is no job {Printable.Of(id)} in the namespace {_namespace}.", "'imagestore jobs ls' shows what is there.");
    }

    /// <summary>Ends a job: at once when no process has it, else the one that has it ends it within a second or so.</summary>
    /// <returns>The job; still running or waiting in the second case.</returns>
    /// <exception cref="ImageStoreException">There is no such job (<see cref="ErrorKind.NotFound"/>), or it has ended
    /// (<see cref="ErrorKind.FailedPrecondition"/>).</exception>
    public async Task<JobRecord> CancelAsync(string id, CancellationToken cancellationToken)
    {
        RefuseEnded(Find(id));
        WholeFile.Write(RequestOf(id), [], WholeFile.Private);

        // Only now: a process that ends meanwhile has not seen what was asked of it.
        using var held = await LockAsync(Find(id).Set, cancellationToken).ConfigureAwait(false);
        if (held is null)
        {
            return Find(id);
        }

        var job = Find(id);
        if (!job.HasEnded)
        {
            job = job with { State = JobState.Cancelled, EndedAt = _time.GetUtcNow() };
            Save(job);
        }

        ForgetRequest(id);
        return job;
    }

    /// <summary>Has the namespace had a job yet?</summary>
    internal bool IsThere => Directory.Exists(_folder);

    /// <summary>Makes the folder.</summary>
    internal void Create()
    {
        try
        {
            foreach (var folder in (string[])[Path.GetDirectoryName(_folder)!, _folder])
            {
                if (!Directory.Exists(folder))
                {
                    Directory.CreateDirectory(folder, OwnerOnly);
                    KernelFile.SyncDirectory(Path.GetDirectoryName(folder)!);
                }
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Making {_folder}");
        }
    }

    /// <summary>Takes a set for this process; null when another has it.</summary>
    internal Task<JobLock?> LockAsync(string set, CancellationToken cancellationToken) =>
        JobLock.TryTakeAsync(LockOf(set), _time, cancellationToken);

    /// <summary>The newest job of a set that can be read; null when there is none.</summary>
    internal JobRecord? Newest(string set)
    {
        foreach (var number in Numbers(set).OrderDescending())
        {
            try
            {
                return Read(PathOf(IdOf(set, number)));
            }
            catch (ImageStoreException)
            {
                // A record that nobody can read keeps no set from being pulled; listing the jobs tells of it.
            }
        }

        return null;
    }

    /// <summary>The id of the next job of a set.</summary>
    internal string NextId(string set) => IdOf(set, Numbers(set).DefaultIfEmpty().Max() + 1);

    /// <summary>Makes room for one job more of a set, whose lock this process has, and takes away what killed ones left.</summary>
    internal void Prune(string set)
    {
        foreach (var number in Numbers(set).OrderDescending().Skip(MaxKept - 1))
        {
            File.Delete(PathOf(IdOf(set, number)));
            ForgetRequest(IdOf(set, number));
        }

        foreach (var partial in Files(PartialSuffix).Where(path => IsPartialOf(set, Path.GetFileName(path))))
        {
            File.Delete(partial);
        }
    }

    /// <summary>Writes a job's record; the caller has the set's lock.</summary>
    internal void Save(JobRecord job) =>
        WholeFile.Write(PathOf(job.Id), JsonSerializer.SerializeToUtf8Bytes(job, JobJson.Default.JobRecord), WholeFile.Private);

    /// <summary>Does somebody want the job to end?</summary>
    internal bool IsCancelRequested(string id) => File.Exists(RequestOf(id));

    /// <summary>Forgets that, since it has ended.</summary>
    internal void ForgetRequest(string id) => File.Delete(RequestOf(id));

    private static string IdOf(string set, int number) => string.Create(CultureInfo.InvariantCulture, $"{set}-{number}");

    // A partial file of a record is named .ID.json.RANDOM.partial; those of other sets may be being written.
    private static bool IsPartialOf(string set, string file) =>
        file.StartsWith($".{set}-", StringComparison.Ordinal)
        && file.IndexOf(RecordSuffix, StringComparison.Ordinal) is > 0 and var end
        && NumberOf(set, file[1..end]) is not null;

    private static int? NumberOf(string set, string id) =>
        id.StartsWith(set + "-", StringComparison.Ordinal)
        && int.TryParse(id.AsSpan(set.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;

    private static void RefuseEnded(JobRecord job)
    {
        if (job.HasEnded)
        {
            throw new ImageStoreException(
                ErrorKind.FailedPrecondition,
                $"The job {job.Id} has ended already: it is {job.State.ToString().ToLowerInvariant()}.",
                "'imagestore jobs ls' shows what is still under way.");
        }
    }

    private IEnumerable<int> Numbers(string set) =>
        Files(RecordSuffix).Select(path => NumberOf(set, Path.GetFileNameWithoutExtension(path))).OfType<int>();

    private List<string> Files(string suffix)
    {
        try
        {
            // A root that may not be looked into must not pass for one without jobs.
            return Directory.Exists(_root) && Directory.EnumerateFileSystemEntries(_root).Any() && Directory.Exists(_folder)
                ? [.. Directory.EnumerateFiles(_folder).Where(path => path.EndsWith(suffix, StringComparison.Ordinal))]
                : [];
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Reading {_folder}");
        }
    }

    private JobRecord Read(string path)
    {
        try
        {
            var job = JsonSerializer.Deserialize(SmallFile.ReadText(path, MaxRecordBytes), JobJson.Default.JobRecord);
            if (job is null || !Identifier.IsOne(job.Set))
            {
                throw new JsonException("it names no set");
            }

            return job.State == JobState.Running && !JobLock.IsHeld(LockOf(job.Set)) ? job with { State = JobState.Interrupted } : job;
        }
        catch (Exception failure) when (failure is JsonException or FormatException)
        {
            throw new ImageStoreException(
                ErrorKind.CorruptData,
                $"The record {Printable.Of(path)} is damaged ({Printable.Of(failure.Message)}).",
                "Remove it: the next run of the set begins anew.",
                failure);
        }
    }

    private string PathOf(string id) => Path.Combine(_folder, id + RecordSuffix);

    private string RequestOf(string id) => Path.Combine(_folder, id + RequestSuffix);

    private string LockOf(string set) => Path.Combine(_folder, set + LockSuffix);
}
